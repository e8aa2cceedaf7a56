using Gimlet.Node;
using Gimlet.Peers;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Peers;

/// <summary>What a peer table says of a relayed connection when several calls have left their traces.</summary>
public sealed class WhyRelayedTests : IDisposable
{
    private const string Protocol = "test";

    private readonly NodeWorld _world = new() { Relays = true };

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_dial_that_wanted_no_path_says_nothing_of_the_peer_when_the_path_dies_later(bool wantsPaths)
    {
        (WorldNode a, WorldNode b) = Two();
        Connect(a, b, wantsPaths: true);
        _world.RunUntil(() => a.Has<PathChosen>() && b.Has<PathChosen>(), withinSeconds: 1);
        _world.Run(1);

        // The path works, or this one is for the relay only: its call names no address.
        Connect(a, b, wantsPaths);
        _world.Run(1);
        if (wantsPaths)
        {
            _ = Assert.Single(a.News<CallSharesPath>());
            Assert.Empty(a.News<CallFailed>());
        }
        else
        {
            CallFailed skipped = Assert.Single(a.News<CallFailed>());
            Assert.Equal((true, (RelayCause?)null), (skipped.LeavesRelay, skipped.Skipped));
        }

        Assert.Equal(RelayCause.NotRelayed, a.Peers!.Explain(b.Core.Id).Cause);

        // The path dies, and everything that is tried after it comes to nothing.
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        var causes = new HashSet<RelayCause>();
        for (int i = 0; i < 900; i++)
        {
            _world.Run(0.1);
            _ = causes.Add(a.Peers.Explain(b.Core.Id).Cause);
        }

        Assert.Contains(RelayCause.StillTrying, causes);
        Assert.Contains(RelayCause.NothingGotThrough, causes);
        Assert.DoesNotContain(RelayCause.PeerUnsupported, causes);
        Assert.DoesNotContain(RelayCause.NotIntroduced, causes);
    }

    [Fact]
    public void A_dial_for_a_protocol_that_the_peer_does_not_speak_says_nothing_of_direct_paths()
    {
        (WorldNode a, WorldNode b) = Two();
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        Connect(a, b, wantsPaths: true);
        _world.Run(12);
        Assert.Equal(RelayCause.NothingGotThrough, a.Peers!.Explain(b.Core.Id).Cause);
        CallId call = a.Core.NewCallId();
        _world.Do(() => Assert.True(a.Peers.TryBeginDial(new DialRequest(call, b.Core.Id, "nobody speaks it"), _world.Now)));
        _world.RunUntil(() => a.Has<DialFailed>(), withinSeconds: 1);
        _world.Do(() => a.Peers.EndDial(call, isConnected: false, _world.Now));
        _world.Run(1);
        Assert.Equal(RelayCause.NothingGotThrough, a.Peers.Explain(b.Core.Id).Cause);
    }

    [Fact]
    public void Each_side_that_takes_part_in_no_direct_paths_is_named_as_the_one()
    {
        (WorldNode a, WorldNode b) = Two(noHolepunchAtB: true);
        Connect(a, b, wantsPaths: true);
        _world.Run(1);
        Assert.Equal(RelayCause.PeerUnsupported, a.Peers!.Explain(b.Core.Id).Cause);
        CallId back = b.Core.NewCallId();
        _world.Do(() => Assert.True(b.Peers!.TryBeginDial(new DialRequest(back, a.Core.Id, Protocol), _world.Now)));
        _world.Run(1);
        Assert.Equal(RelayCause.OwnHolepunchOff, Assert.Single(b.News<CallFailed>()).Skipped);
    }

    private (WorldNode A, WorldNode B) Two(bool noHolepunchAtB = false)
    {
        WorldNode a = _world.Add(Keys.Small, "203.0.113.1:1001", static o => o with { Protocols = [Protocol] }).WithPeers();
        WorldNode b = _world.Add(Keys.Large, "203.0.113.2:2002", o => o with { Protocols = [Protocol], NoHolepunch = noHolepunchAtB }).WithPeers();
        _world.Run(6);
        _world.Register(a);
        _world.Register(b);
        _world.Run(0.1);
        return (a, b);
    }

    private void Connect(WorldNode from, WorldNode to, bool wantsPaths)
    {
        CallId call = from.Core.NewCallId();
        _world.Do(() => Assert.True(from.Peers!.TryBeginDial(new DialRequest(call, to.Core.Id, Protocol) { WantsPaths = wantsPaths }, _world.Now)));
        _world.RunUntil(() => to.Peers!.IsExpected(from.Core.Id, Protocol), withinSeconds: 1);
        _world.Do(() =>
        {
            _ = from.Peers!.AddConnection(to.Core.Id, Protocol, isIncoming: false, wantsPaths, _world.Now);
            from.Peers.EndDial(call, isConnected: true, _world.Now);
            _ = to.Peers!.AddConnection(from.Core.Id, Protocol, isIncoming: true, wantsPaths, _world.Now);
        });
    }
}
