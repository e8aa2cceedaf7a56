using System.Security.Cryptography;
using Gimlet.Calls;
using Gimlet.Identity;
using Gimlet.Node;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Node;

public sealed class CallTests : IDisposable
{
    private readonly NodeWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData(false, 80)] // introduction, check and answer: 2 round trips of 40 ms
    [InlineData(true, 120)] // one more for the callee's yes
    public void A_dial_is_connected_after_two_round_trips_or_three_where_the_callee_says_yes_first(bool onAccept, int milliseconds)
    {
        (WorldNode a, WorldNode b) = Two(configureB: o => o with { OnAccept = onAccept });
        CallId call = _world.Dial(a, b.Core.Id);
        _world.RunUntil(() => a.Has<CallConnected>() && b.Has<CallConnected>(), withinSeconds: 1);
        CallConnected connected = a.News<CallConnected>().Single();
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), connected.Elapsed);
        Assert.Equal(call, connected.Handle);
        Assert.Equal(call, connected.Call);
        Assert.False(connected.IsIncoming);
        Assert.True(connected.IsAuthenticated);
        Assert.Equal(b.Address, connected.Path.Remote);
        CallConnected incoming = b.News<CallConnected>().Single();
        Assert.True(incoming.IsIncoming);
        Assert.Equal(a.Core.Id, incoming.Peer);
        Assert.Equal(call, incoming.Call);
    }

    [Fact]
    public void A_call_that_crosses_the_callees_update_hears_of_it_all_the_same()
    {
        (WorldNode a, WorldNode b) = Two();

        // The server introduces with what it knew before b's update: nothing.
        _world.OnSignal = (_, message) => message is IntroduceMessage introduce ? introduce with { Candidates = [] } : message;
        _ = _world.Dial(a, b.Core.Id);
        _world.RunUntil(() => a.Has<CallConnected>() && b.Has<CallConnected>(), withinSeconds: 1);
        Assert.Contains(b.Said<CandidatesMessage>(), m => m.Candidates!.Any(c => c.Address == b.Address.ToString()));
    }

    [Fact]
    public void A_dial_names_the_callers_addresses_that_the_server_has_seen_and_no_others()
    {
        CandidateDescription[] named =
        [
            new() { Kind = "host", Address = "192.168.1.2:5" },
            new() { Kind = "host", Address = "127.0.0.1:5" },
            new() { Kind = "host", Address = "203.0.113.1:5", Unverified = true },
            new() { Kind = "srflx", Address = "198.51.100.7:5" },
            new() { Kind = "srflx", Address = "198.51.100.7:5" },
            new() { Kind = "mapped", Address = "224.0.0.1:5" },
            new() { Kind = "srflx", Address = "[2001:db8:1::7]:5" },
            new() { Kind = "srflx", Address = "198.51.100.8:5" },
        ];
        (WorldNode a, WorldNode b) = Two(configureB: static o => o with { Protocols = ["gimlet"] });
        _world.OnSignal = (_, message) => message is IncomingMessage incoming ? incoming with { Candidates = named } : message;
        _world.Do(() => a.Core.Dial(new DialRequest(a.Core.NewCallId(), b.Core.Id) { Protocol = "gimlet" }, _world.Now));
        _world.RunUntil(() => b.Has<CallAdmitted>(), withinSeconds: 1);
        Assert.Equal(["198.51.100.7:5", "[2001:db8:1::7]:5"], b.News<CallAdmitted>().Single().Proven.Select(static p => p.ToString()));

        // A call that only looks for paths sends nothing early.
        _ = _world.Dial(a, b.Core.Id);
        _world.RunUntil(() => b.News<CallAdmitted>().Count() == 2, withinSeconds: 1);
        Assert.Empty(b.News<CallAdmitted>().Last().Proven);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_smaller_id_nominates_whoever_called(bool smallCalls)
    {
        (WorldNode small, WorldNode large) = Two();
        _ = smallCalls ? _world.Dial(small, large.Core.Id) : _world.Dial(large, small.Core.Id);
        _world.Run(10);
        (TransportAddress From, TransportAddress To, byte[] Bytes)[] checks = [.. _world.Datagrams.Where(d => d.To != NodeWorld.StunServer && d.From != NodeWorld.StunServer)];
        TransportAddress[] nominators = [.. checks.Where(d => new Packet(default, d.From, d.To, d.Bytes).Kind == PacketKind.Nomination).Select(d => d.From).Distinct()];
        Assert.Equal([small.Address], nominators);
    }

    [Fact]
    public void Both_can_ping_and_either_can_hang_up()
    {
        (WorldNode a, WorldNode b, CallId call) = Connected();
        CallId handleOfB = b.News<CallConnected>().Single().Handle;
        _world.Do(() => Assert.True(a.Core.TryPing(call, 5, _world.Now)));
        _world.Do(() => Assert.True(b.Core.TryPing(handleOfB, 6, _world.Now)));
        _world.Run(0.1);
        Assert.Equal(5u, a.News<CallPong>().Single().Sequence);
        Assert.Equal(5u, b.News<CallPinged>().Single().Sequence);
        Assert.Equal(6u, b.News<CallPong>().Single().Sequence);
        _world.Do(() => b.Core.Hangup(handleOfB, 0, _world.Now));
        _world.Run(0.1);
        Assert.Equal(CallEnd.ClosedByPeer, a.News<CallClosed>().Single().End);
        Assert.Equal(CallEnd.Closed, b.News<CallClosed>().Single().End);
        Assert.False(a.Core.TryPing(call, 7, _world.Now));
        _world.Do(() => a.Core.Hangup(call, 0, _world.Now));
    }

    [Fact]
    public void Many_calls_between_the_same_two_do_not_get_in_each_others_way()
    {
        (WorldNode a, WorldNode b) = Two();
        CallId[] calls = [.. Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? _world.Dial(a, b.Core.Id) : _world.Dial(b, a.Core.Id))];
        _world.Run(1);
        Assert.Equal(20, a.News<CallConnected>().Select(c => c.Call).Distinct().Count());
        Assert.Equal(20, b.News<CallConnected>().Select(c => c.Call).Distinct().Count());
        _world.Do(() => a.Core.Hangup(calls[0], 0, _world.Now));
        _world.Run(10);
        _ = Assert.Single(b.News<CallClosed>());
    }

    [Fact]
    public void Somebody_else_than_was_dialled_is_not_connected_to()
    {
        (WorldNode a, WorldNode b) = Two();
        _world.OnSignal = (_, m) => m is IntroduceMessage i ? i with { PublicKey = Keys.Stranger.PublicKey.ToArray() } : m;
        _ = _world.Dial(a, b.Core.Id);
        AssertFailed(a, GimletErrorKind.RendezvousRejected, "is not");
    }

    [Fact]
    public void A_pre_key_that_the_peer_did_not_sign_is_not_used()
    {
        using ECDiffieHellman servers = Keys.NewAgreementKey();
        byte[] point = Keys.Point(servers);
        SignedKey?[] wrong =
        [
            null,
            new SignedKey(),
            new SignedKey { Key = point },
            new SignedKey { Key = point, Signature = new byte[64] },
            new SignedKey { Key = point, Signature = Keys.Stranger.Sign(Statement.Prekey(point)) },
            new SignedKey { Key = point, Signature = Keys.Large.Sign(Statement.Hello(point)) },
            new SignedKey { Key = new byte[65], Signature = Keys.Large.Sign(Statement.Prekey(new byte[65])) },
        ];
        (WorldNode a, WorldNode b) = Two();
        foreach (SignedKey? key in wrong)
        {
            a.Events.Clear();
            _world.OnSignal = (_, m) => m is IntroduceMessage i ? i with { Prekey = key } : m;
            _ = _world.Dial(a, b.Core.Id);
            AssertFailed(a, GimletErrorKind.RendezvousRejected, "signature");
        }
    }

    [Fact]
    public void A_pre_key_that_is_signed_and_not_on_the_curve_is_refused()
    {
        byte[] bad = [4, .. Enumerable.Repeat((byte)7, 64)];
        (WorldNode a, WorldNode b) = Two();
        _world.OnSignal = (_, m) => m is IntroduceMessage i ? i with { Prekey = new SignedKey { Key = bad, Signature = Keys.Large.Sign(Statement.Prekey(bad)) } } : m;
        _ = _world.Dial(a, b.Core.Id);
        AssertFailed(a, GimletErrorKind.RendezvousRejected, "P-256");
    }

    [Fact]
    public void A_call_whose_key_the_caller_did_not_sign_is_rejected_as_a_bad_request()
    {
        using ECDiffieHellman servers = Keys.NewAgreementKey();
        byte[] point = Keys.Point(servers);
        Func<IncomingMessage, IncomingMessage>[] wrongs =
        [
            i => i with { Ephemeral = null },
            i => i with { Ephemeral = new SignedKey { Key = point, Signature = i.Ephemeral!.Signature } },
            i => i with { PublicKey = Keys.Stranger.PublicKey.ToArray() },
            i => i with { Peer = Keys.Stranger.Id.ToString() },
            i => i with { Peer = Keys.Large.Id.ToString(), PublicKey = Keys.Large.PublicKey.ToArray() },
            i => i with { Call = new string('0', 32) },
        ];
        (WorldNode a, WorldNode b) = Two();
        foreach (Func<IncomingMessage, IncomingMessage> wrong in wrongs)
        {
            b.Signals.Clear();
            _world.OnSignal = (_, m) => m switch { IncomingMessage i => wrong(i), IntroduceMessage => null, _ => m };
            _ = _world.Dial(a, b.Core.Id);
            _world.Run(0.2);
            Assert.Equal(RejectReason.BadRequest, b.Said<RejectMessage>().Single().Reason);
            Assert.DoesNotContain(b.Events, e => e is CallEvent);
        }
    }

    [Fact]
    public void A_peer_that_the_policy_does_not_allow_is_refused_before_it_learns_an_address()
    {
        (WorldNode a, WorldNode b) = Two(configureB: o => o with { Policy = PeerPolicy.Only([Keys.Stranger.Id]) });
        Assert.Equal(AcceptMode.OnAccept, b.Registration!.Accept);
        _ = _world.Dial(a, b.Core.Id);
        AssertFailed(a, GimletErrorKind.Refused, "refused");
        Assert.DoesNotContain(_world.Datagrams, d => d.To == a.Address || d.To == b.Address);
    }

    [Fact]
    public void A_node_with_too_many_calls_says_busy()
    {
        (WorldNode a, WorldNode b) = Two(configureB: o => o with { Traversal = o.Traversal with { MaxIncomingCalls = 1 }, OnAccept = true });
        _ = _world.Dial(a, b.Core.Id);
        _world.Run(1);
        CallId second = _world.Dial(a, b.Core.Id);
        _world.Run(1);
        Assert.Equal(RejectReason.Busy, b.Said<RejectMessage>().Single().Reason);
        CallFailed failed = a.News<CallFailed>().Single();
        Assert.Equal(second, failed.Handle);
        Assert.Contains("busy", failed.Message, StringComparison.Ordinal);

        // The first one ends, and there is room again.
        _world.Do(() => a.Core.Hangup(a.News<CallConnected>().Single().Handle, 0, _world.Now));
        _world.Run(1);
        _ = _world.Dial(a, b.Core.Id);
        _world.Run(1);
        Assert.Equal(2, a.News<CallConnected>().Count());
    }

    [Theory]
    [InlineData(RejectReason.Offline, GimletErrorKind.PeerOffline)]
    [InlineData(RejectReason.Refused, GimletErrorKind.Refused)]
    [InlineData(RejectReason.TimedOut, GimletErrorKind.TimedOut)]
    [InlineData(RejectReason.Unsupported, GimletErrorKind.Unsupported)]
    [InlineData(RejectReason.Busy, GimletErrorKind.RendezvousRejected)]
    [InlineData(RejectReason.RateLimited, GimletErrorKind.RendezvousRejected)]
    [InlineData(RejectReason.Self, GimletErrorKind.RendezvousRejected)]
    [InlineData(RejectReason.BadRequest, GimletErrorKind.RendezvousRejected)]
    [InlineData("from-the-future", GimletErrorKind.RendezvousRejected)]
    [InlineData(null, GimletErrorKind.RendezvousRejected)]
    public void Every_rejection_has_its_kind(string? reason, GimletErrorKind kind)
    {
        (WorldNode a, WorldNode b) = Two();
        _world.OnSignal = static (_, _) => null;
        CallId call = _world.Dial(a, b.Core.Id);
        _world.OnSignal = static (_, m) => m;
        _world.Tell(a, 0, new RejectMessage { Call = call.ToString(), Reason = reason, Detail = "detail" });
        Assert.Equal(kind, a.News<CallFailed>().Single().Kind);
        _world.Run(1);
        Assert.Equal([typeof(CallRouted), typeof(CallFailed)], a.News<CallEvent>().Select(static e => e.GetType()));
    }

    [Fact]
    public void A_peer_that_takes_part_in_no_direct_paths_is_unsupported_at_once()
    {
        _world.Relays = true;
        (WorldNode a, WorldNode b) = Two(configureB: o => o with { NoHolepunch = true });
        _ = _world.Dial(a, b.Core.Id);
        AssertFailed(a, GimletErrorKind.Unsupported, "no direct paths");
        Assert.True(a.News<CallFailed>().Single().LeavesRelay);

        // Why it takes part in none is not known here.
        Assert.DoesNotContain("--no-holepunch", a.News<CallFailed>().Single().Message, StringComparison.Ordinal);

        // The call is admitted all the same: where the server relays, that is how the connection goes.
        Assert.True(b.Has<CallAdmitted>());
        Assert.Empty(b.Said<RejectMessage>());
        Assert.Empty(b.Registration!.Candidates!);
    }

    [Fact]
    public void A_peer_that_takes_part_in_no_direct_paths_cannot_be_reached_where_nobody_relays()
    {
        (WorldNode a, WorldNode b) = Two(configureB: o => o with { NoHolepunch = true });
        _ = _world.Dial(a, b.Core.Id);
        AssertFailed(a, GimletErrorKind.RendezvousNoRelay, "does not relay");
        Assert.False(a.News<CallFailed>().Single().LeavesRelay);
    }

    [Fact]
    public void Messages_about_calls_that_do_not_exist_or_of_another_server_change_nothing()
    {
        (WorldNode a, WorldNode b, CallId call) = Connected(servers: 2);
        _world.Register(a, 1);
        int events = a.Events.Count;
        foreach (string? id in new[] { null, string.Empty, "x", new string('0', 32), call.ToString() })
        {
            foreach (int session in new[] { 0, 1 })
            {
                _world.Tell(a, session, new IntroduceMessage { Call = id, Peer = b.Core.Id.ToString() });
                _world.Tell(a, session, new RejectMessage { Call = id, Reason = RejectReason.Refused });
                _world.Tell(a, session, new AcceptMessage { Call = id });
                _world.Tell(a, session, new CandidatesMessage { Call = id, Candidates = [null!, new CandidateDescription()] });
            }
        }

        Assert.Equal(events, a.Events.Count);
        _world.Run(10);
        Assert.DoesNotContain(a.Events, e => e is CallClosed or CallFailed);
    }

    [Fact]
    public void A_call_id_that_is_in_use_already_is_no_way_to_break_a_node()
    {
        // The peer knows the id of the call that is on its way to it, and calls back with the same one.
        (WorldNode a, WorldNode b) = Two(configureB: o => o with { OnAccept = true });
        IncomingMessage? incoming = null;
        IntroduceMessage? introduce = null;
        _world.OnSignal = (_, m) =>
        {
            incoming = m as IncomingMessage ?? incoming;
            introduce = m as IntroduceMessage ?? introduce;
            return m is IntroduceMessage ? null : m;
        };
        CallId call = _world.Dial(a, b.Core.Id);
        _world.RunUntil(() => introduce is not null, withinSeconds: 1);
        _world.OnSignal = static (_, m) => m;

        using ECDiffieHellman ephemeral = Keys.NewAgreementKey();
        byte[] point = Keys.Point(ephemeral);
        Span<byte> id = stackalloc byte[CallId.Size];
        call.CopyTo(id);
        _world.Tell(a, 0, new IncomingMessage
        {
            Call = call.ToString(),
            Peer = Keys.Large.Id.ToString(),
            PublicKey = Keys.Large.PublicKey.ToArray(),
            Ephemeral = new SignedKey { Key = point, Signature = Keys.Large.Sign(Statement.CallKey(id, Keys.Large.Id, Keys.Small.Id, point)) },
        });
        _world.Tell(a, 0, introduce!);
        _world.Run(1);
        CallConnected connected = a.News<CallConnected>().Single();
        Assert.False(connected.IsIncoming);
    }

    [Fact]
    public void A_repeated_call_is_one_call()
    {
        (WorldNode a, WorldNode b) = Two();
        IncomingMessage? incoming = null;
        _world.OnSignal = (_, m) =>
        {
            incoming = m as IncomingMessage ?? incoming;
            return m;
        };
        _ = _world.Dial(a, b.Core.Id);
        _world.Run(1);
        _world.Tell(b, 0, incoming!);
        _world.Run(1);
        _ = Assert.Single(b.News<CallConnected>());
    }

    [Fact]
    public void A_punch_that_fails_says_why_with_the_evidence()
    {
        (WorldNode a, WorldNode b) = Two();
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        CallId call = _world.Dial(a, b.Core.Id);
        _world.Run(7);
        CallFailed failed = a.News<CallFailed>().Single();
        Assert.Equal(call, failed.Handle);
        Assert.Equal(GimletErrorKind.PunchFailed, failed.Kind);
        Assert.Contains("within 5 s", failed.Message, StringComparison.Ordinal);
        Assert.Contains("0 were answered", failed.Message, StringComparison.Ordinal);
        Assert.NotNull(failed.Hint);
        Assert.Equal(GimletErrorKind.PunchFailed, b.News<CallFailed>().Single().Kind);
    }

    [Fact]
    public void Late_candidates_trickle_to_the_call_that_is_under_way()
    {
        (WorldNode a, WorldNode b) = Two();
        TransportAddress nowhere = TransportAddress.Parse("192.0.2.1:9");
        CandidateDescription[] dead = [new CandidateDescription { Kind = "srflx", Address = nowhere.ToString() }];
        _world.OnSignal = (_, m) => m switch { IntroduceMessage i => i with { Candidates = dead }, IncomingMessage i => i with { Candidates = dead }, _ => m };
        CallId call = _world.Dial(a, b.Core.Id);
        _world.Run(1);
        Assert.False(a.Has<CallConnected>());
        _world.Tell(a, 0, new CandidatesMessage { Call = call.ToString(), Candidates = [new CandidateDescription { Kind = "srflx", Address = b.Address.ToString() }] });
        _world.RunUntil(a.Has<CallConnected>, withinSeconds: 0.1);
    }

    private void AssertFailed(WorldNode node, GimletErrorKind kind, string words)
    {
        _world.Run(1);
        CallFailed failed = node.News<CallFailed>().Single();
        Assert.Equal(kind, failed.Kind);
        Assert.Contains(words, failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(node.Events, e => e is CallConnected);
    }

    private (WorldNode A, WorldNode B) Two(Func<NodeCoreOptions, NodeCoreOptions>? configureB = null, int servers = 1)
    {
        WorldNode a = _world.Add(Keys.Small, "203.0.113.1:1001", o => o with { Servers = servers });
        WorldNode b = _world.Add(Keys.Large, "203.0.113.2:2002", configureB);
        _world.Run(6);
        _world.Register(a);
        _world.Register(b);
        _world.Run(0.1);
        return (a, b);
    }

    private (WorldNode A, WorldNode B, CallId Call) Connected(int servers = 1)
    {
        (WorldNode a, WorldNode b) = Two(servers: servers);
        CallId call = _world.Dial(a, b.Core.Id);
        _world.RunUntil(() => a.Has<CallConnected>() && b.Has<CallConnected>(), withinSeconds: 1);
        return (a, b, call);
    }
}
