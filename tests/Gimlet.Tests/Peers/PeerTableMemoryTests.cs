using Gimlet.Node;
using Gimlet.Peers;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Peers;

/// <summary>What a peer table remembers while its connections live: nothing that peers or short dials can make grow.</summary>
public sealed class PeerTableMemoryTests : IDisposable
{
    private const string Protocol = "test";

    private readonly NodeWorld _world = new() { Relays = true };

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Short_connections_beside_a_long_one_leave_no_call_behind_on_either_side()
    {
        (WorldNode a, WorldNode b) = Connected();
        for (int i = 0; i < 50; i++)
        {
            // The path works, so none is asked for: these calls name no address, and have no checks that could end.
            CallId call = Dial(a, b, wantsPaths: true);
            Connect(a, b, call);
            _world.Run(0.2);
            Disconnect(a, b);
            _world.Run(0.2);
        }

        Assert.Equal((1, 1), (a.Peers!.CallCount, b.Peers!.CallCount));
        Assert.NotNull(a.Peers.DirectPathOf(b.Core.Id));
    }

    [Fact]
    public void Calls_of_a_peer_that_begins_no_connection_are_forgotten_when_their_time_is_over()
    {
        (WorldNode a, WorldNode b) = Connected();
        for (int i = 0; i < 50; i++)
        {
            _world.Do(() => a.Core.Dial(new DialRequest(a.Core.NewCallId(), b.Core.Id, Protocol) { WantsPaths = false }, _world.Now));
            _world.Run(0.1);
        }

        Assert.Equal(51, b.Peers!.CallCount);
        _world.Run(11);
        Assert.Equal(1, b.Peers.CallCount);
        Assert.False(b.Peers.IsExpected(a.Core.Id, Protocol));
    }

    [Fact]
    public void Calls_for_paths_that_name_no_address_are_not_remembered_at_all()
    {
        (WorldNode a, WorldNode b) = Connected();
        for (int i = 0; i < 50; i++)
        {
            _world.Do(() => a.Core.Dial(new DialRequest(a.Core.NewCallId(), b.Core.Id) { WantsPaths = false }, _world.Now));
            _world.Run(0.1);
        }

        Assert.Equal(51, b.News<CallAdmitted>().Count());
        Assert.Equal(1, b.Peers!.CallCount);
    }

    [Fact]
    public void Calls_that_glare_are_forgotten_when_the_others_connection_is_there()
    {
        (WorldNode a, WorldNode b) = Connected();
        for (int i = 0; i < 20; i++)
        {
            CallId ofA = a.Core.NewCallId();
            CallId ofB = b.Core.NewCallId();
            _world.Do(() => Assert.True(a.Peers!.TryBeginDial(new DialRequest(ofA, b.Core.Id, Protocol), _world.Now)));
            _world.Do(() => Assert.True(b.Peers!.TryBeginDial(new DialRequest(ofB, a.Core.Id, Protocol), _world.Now)));
            _world.Run(0.2);
            Connect(a, b, ofA);
            _world.Do(() => b.Peers!.EndDial(ofB, isConnected: false, _world.Now));
            _world.Run(0.2);
            Disconnect(a, b);
        }

        _world.Run(35);
        Assert.Equal((1, 1), (a.Peers!.CallCount, b.Peers!.CallCount));
    }

    [Fact]
    public void A_connection_that_is_there_before_the_introduction_still_hears_what_became_of_the_punch()
    {
        (WorldNode a, WorldNode b) = Two();
        _world.OnSignal = (node, message) => node == a && message is Gimlet.Signalling.IntroduceMessage ? null : message;
        CallId call = Dial(a, b, wantsPaths: true);
        _world.Run(0.1);
        Connect(a, b, call);
        _world.RunUntil(() => a.Has<CallFailed>(), withinSeconds: 30);
        Assert.Equal(RelayCause.NotIntroduced, a.Peers!.Explain(b.Core.Id).Cause);
        _world.Run(1);
        Assert.Equal(0, a.Peers.CallCount);
    }

    [Fact]
    public void Each_call_of_a_peer_lets_one_connection_in_for_its_protocol_and_a_slow_handshake_too()
    {
        (WorldNode a, WorldNode b) = Two();
        CallId call = Dial(a, b, wantsPaths: false);
        _world.Run(1);
        TimeSpan admitted = TimeSpan.FromSeconds(1) - (2 * NodeWorld.OneWay);
        Assert.Equal(new AwaitedDial(call, admitted), b.Peers!.FindAwaited(a.Core.Id, Protocol, _world.Now));
        Assert.Null(b.Peers.FindAwaited(a.Core.Id, "other", _world.Now));
        Assert.Null(b.Peers.FindAwaited(Keys.Stranger.Id, Protocol, _world.Now));

        // Nothing may begin any more, and what had begun may end.
        _world.Run(14);
        Assert.False(b.Peers.IsExpected(a.Core.Id, Protocol));
        Assert.Equal(new AwaitedDial(call, admitted + TimeSpan.FromSeconds(14)), b.Peers.FindAwaited(a.Core.Id, Protocol, _world.Now));
        Assert.Null(b.Peers.AddConnection(a.Core.Id, Protocol, isIncoming: true, allowsDirect: false, _world.Now));
        Assert.Null(b.Peers.FindAwaited(a.Core.Id, Protocol, _world.Now));

        _ = Dial(a, b, wantsPaths: false);
        _world.Run(21);
        Assert.Null(b.Peers.FindAwaited(a.Core.Id, Protocol, _world.Now));
    }

    private static void Pair(WorldNode a, WorldNode b, Action<WorldNode, WorldNode> action)
    {
        action(a, b);
        action(b, a);
    }

    private (WorldNode A, WorldNode B) Two()
    {
        WorldNode a = _world.Add(Keys.Small, "203.0.113.1:1001", static o => o with { Protocols = [Protocol] }).WithPeers();
        WorldNode b = _world.Add(Keys.Large, "203.0.113.2:2002", static o => o with { Protocols = [Protocol] }).WithPeers();
        _world.Run(6);
        _world.Register(a);
        _world.Register(b);
        _world.Run(0.1);
        return (a, b);
    }

    private CallId Dial(WorldNode from, WorldNode to, bool wantsPaths)
    {
        CallId call = from.Core.NewCallId();
        _world.Do(() => Assert.True(from.Peers!.TryBeginDial(new DialRequest(call, to.Core.Id, Protocol) { WantsPaths = wantsPaths }, _world.Now)));
        return call;
    }

    private void Connect(WorldNode from, WorldNode to, CallId call)
    {
        _world.RunUntil(() => to.Peers!.IsExpected(from.Core.Id, Protocol), withinSeconds: 1);
        _world.Do(() =>
        {
            _ = from.Peers!.AddConnection(to.Core.Id, Protocol, isIncoming: false, allowsDirect: true, _world.Now);
            from.Peers.EndDial(call, isConnected: true, _world.Now);
            Assert.Equal(call, to.Peers!.AddConnection(from.Core.Id, Protocol, isIncoming: true, allowsDirect: true, _world.Now));
        });
    }

    private void Disconnect(WorldNode a, WorldNode b) =>
        Pair(a, b, (own, other) => _world.Do(() => own.Peers!.RemoveConnection(other.Core.Id, allowsDirect: true, _world.Now)));

    private (WorldNode A, WorldNode B) Connected()
    {
        (WorldNode a, WorldNode b) = Two();
        Connect(a, b, Dial(a, b, wantsPaths: true));
        _world.RunUntil(() => a.Has<PathChosen>() && b.Has<PathChosen>(), withinSeconds: 1);
        _world.Run(1);
        return (a, b);
    }
}
