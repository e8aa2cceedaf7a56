using Gimlet.Calls;
using Gimlet.Identity;
using Gimlet.Node;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Review;

public sealed class HostilePeerTests : IDisposable
{
    private static readonly TransportAddress Mallory = TransportAddress.Parse("192.0.2.66:666");

    private readonly NodeWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void A_dial_whose_peer_hangs_up_before_a_check_of_ours_was_answered_fails_and_does_not_wait_for_ever()
    {
        (WorldNode a, WorldNode b) = Two();
        _world.Loses = (from, _, bytes) => from == b.Address && new Packet(default, from, from, bytes).Kind == PacketKind.Answer;
        CallId call = _world.Dial(a, b.Core.Id);
        _world.RunUntil(b.Has<CallConnected>, withinSeconds: 1);
        _world.Do(() => b.Core.Hangup(call, 0, _world.Now));
        _world.Run(1);
        CallFailed failed = a.News<CallFailed>().Single();
        Assert.Equal((call, GimletErrorKind.Refused), (failed.Handle, failed.Kind));
        Assert.False(a.Has<CallConnected>());
        Assert.False(a.Has<CallClosed>());
    }

    [Fact]
    public void An_old_call_that_is_played_again_connects_nobody()
    {
        IncomingMessage? kept = null;
        (WorldNode a, WorldNode b) = Two();
        _world.OnSignal = (node, message) =>
        {
            kept = ReferenceEquals(node, b) && message is IncomingMessage incoming ? incoming : kept;
            return message;
        };
        CallId call = _world.Dial(a, b.Core.Id);
        _world.RunUntil(a.Has<CallConnected>, withinSeconds: 1);
        _world.Do(() => Assert.True(a.Core.TryPing(call, 1, _world.Now)));
        _world.Run(0.1);
        byte[] ping = _world.Datagrams.Last(d => d.From == a.Address && new Packet(default, d.From, d.To, d.Bytes) is { Kind: PacketKind.Ping }).Bytes;
        _world.Do(() => a.Core.Hangup(call, 0, _world.Now));
        _world.Run(60);
        Assert.Single(b.News<CallConnected>());

        _world.Register(b);
        _world.Tell(b, 0, kept!);
        _world.Inject(Mallory, b, ping);
        _world.Run(1);
        Assert.Single(b.News<CallConnected>());
        Assert.Equal(RejectReason.BadRequest, b.Said<RejectMessage>().Single().Reason);
        Assert.DoesNotContain(_world.Datagrams, d => d.To == Mallory);
    }

    [Fact]
    public void One_peer_does_not_take_all_the_calls_that_a_node_has()
    {
        (WorldNode a, WorldNode b) = Two();
        for (int i = 0; i < IncomingGuard.MaxCallsPerPeer + 5; i++)
        {
            _ = _world.Dial(a, b.Core.Id);
            _world.Run(0.1);
        }

        _world.Run(1);
        Assert.Equal(IncomingGuard.MaxCallsPerPeer, b.News<CallConnected>().Count());
        Assert.Equal(5, b.Said<RejectMessage>().Count(r => r.Reason == RejectReason.Busy));
    }

    [Fact]
    public void Calls_beyond_what_a_node_can_verify_are_refused_at_once_and_cost_nothing()
    {
        (WorldNode a, WorldNode b) = Two();
        for (int i = 0; i < 150; i++)
        {
            using var caller = NodeIdentity.Create();
            _world.Tell(b, 0, Signed(caller, b.Core.Id));
        }

        Assert.Equal(50, b.Said<RejectMessage>().Count(r => r.Reason == RejectReason.RateLimited));
        _world.Run(10);
        _ = _world.Dial(a, b.Core.Id);
        _world.RunUntil(a.Has<CallConnected>, withinSeconds: 1);
    }

    [Fact]
    public void Whoever_is_not_welcome_is_refused_before_any_signature_is_looked_at()
    {
        WorldNode b = _world.Add(Keys.Large, "203.0.113.2:2002", o => o with { Policy = PeerPolicy.Only([Keys.Small.Id]) });
        _world.Register(b);
        IncomingMessage unsigned = Signed(Keys.Stranger, b.Core.Id) with { Ephemeral = null };
        _world.Tell(b, 0, unsigned);
        Assert.Equal(RejectReason.Refused, b.Said<RejectMessage>().Single().Reason);
    }

    [Fact]
    public void A_ping_that_somebody_kept_does_not_bring_a_dead_path_back()
    {
        using Pair pair = new Pair().Connect();
        Assert.True(pair.A.Agent.TryPing(1, pair.Now));
        pair.Run(0.1);
        byte[] kept = pair.Delivered.Single(p => p.Kind == PacketKind.Ping).Bytes;
        using IDisposable cut = pair.LoseAll();
        pair.RunUntil(() => pair.B.Agent.State == CallState.Recovering, withinSeconds: 10);
        pair.Inject(Mallory, Pair.AddressOfB, kept);
        pair.Run(0.5);
        Assert.Equal(CallState.Recovering, pair.B.Agent.State);
        Assert.DoesNotContain("recovered", pair.B.News);
    }

    private (WorldNode A, WorldNode B) Two()
    {
        WorldNode a = _world.Add(Keys.Small, "203.0.113.1:1001");
        WorldNode b = _world.Add(Keys.Large, "203.0.113.2:2002");
        _world.Register(a);
        _world.Register(b);
        _world.Run(6);
        return (a, b);
    }

    /// <summary>A call as a server would hand it on.</summary>
    private static IncomingMessage Signed(NodeIdentity caller, PeerId callee)
    {
        byte[] id = Guid.NewGuid().ToByteArray();
        using System.Security.Cryptography.ECDiffieHellman ephemeral = Keys.NewAgreementKey();
        byte[] point = Keys.Point(ephemeral);
        return new IncomingMessage
        {
            Call = Convert.ToHexStringLower(id),
            Peer = caller.Id.ToString(),
            PublicKey = caller.PublicKey.ToArray(),
            Ephemeral = new SignedKey { Key = point, Signature = caller.Sign(Statement.CallKey(id, caller.Id, callee, point)) },
            Candidates = [],
            Capabilities = [Capability.Direct],
        };
    }
}
