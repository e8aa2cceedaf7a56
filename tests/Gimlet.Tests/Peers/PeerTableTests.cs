using Gimlet.Calls;
using Gimlet.Node;
using Gimlet.Peers;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Peers;

/// <summary>The choice of path between two whole nodes (docs/connections.md). QUIC's reports are said by the tests.</summary>
public sealed class PeerTableTests : IDisposable
{
    private const string Protocol = "test";

    private readonly NodeWorld _world = new() { Relays = true };

    public void Dispose() => _world.Dispose();

    [Fact]
    public void A_dial_is_on_the_relay_until_a_pair_works_and_then_direct_on_both_sides()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        foreach ((WorldNode node, WorldNode other) in new[] { (a, b), (b, a) })
        {
            PathChosen chosen = Assert.Single(node.News<PathChosen>());
            Assert.Equal((other.Core.Id, other.Address, false), (chosen.Peer, chosen.Direct!.Value.Remote, chosen.LeftSilent));
            Assert.Equal(other.Address, node.Peers!.DirectPathOf(other.Core.Id)!.Value.Remote);
            Assert.Equal(PunchOutcome.Succeeded, Assert.Single(node.News<PunchEnded>()).Outcome);
        }

        // Nothing more is looked for, for as long as it works.
        a.Signals.Clear();
        b.Signals.Clear();
        _world.Run(3600);
        Assert.Empty(a.Said<ConnectMessage>().Concat(b.Said<ConnectMessage>()));
        _ = Assert.Single(a.News<PathChosen>());
        _ = Assert.Single(b.News<PathChosen>());
    }

    [Fact]
    public void A_silence_moves_to_the_relay_at_once_and_the_first_answered_check_back()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        TimeSpan start = _world.Now;
        _world.Do(() => a.Peers!.HandleSilence(b.Core.Id, b.Address, _world.Now));
        PathChosen left = a.News<PathChosen>().Last();
        Assert.Equal((null, true), (left.Direct, left.LeftSilent));
        Assert.Equal(start, a.Choices[^1].At);
        Assert.Null(a.Peers!.DirectPathOf(b.Core.Id));

        // The check that goes out at once is answered after a round trip.
        _world.RunUntil(() => a.News<PathChosen>().Last().Direct is not null, withinSeconds: 0.1);
        Assert.Equal(start + (2 * NodeWorld.OneWay), a.Choices[^1].At);
        Assert.False(a.News<PathChosen>().Last().LeftSilent);
    }

    [Fact]
    public void A_path_on_which_quic_falls_silent_again_although_checks_pass_is_used_after_a_doubling_pause()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        var pauses = new List<double>();
        for (int i = 0; i < 9; i++)
        {
            TimeSpan silent = _world.Now;
            _world.Do(() => a.Peers!.HandleSilence(b.Core.Id, b.Address, _world.Now));
            Assert.True(a.News<PathChosen>().Last().Direct is null, $"silence {i} at {silent}: relay {a.Core.CanRelay}, last {a.Choices[^1]}");
            _world.RunUntil(() => a.News<PathChosen>().Last().Direct is not null, withinSeconds: 70);
            pauses.Add((_world.Now - silent).TotalSeconds);
        }

        // At once the first time, and then after twice as long each time.
        Assert.Equal(2 * NodeWorld.OneWay.TotalSeconds, pauses[0], 3);
        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60], pauses.Skip(1).Select(static p => Math.Round(p, 3)));
    }

    [Fact]
    public void Many_silences_in_a_row_never_pause_longer_than_a_minute()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        double longest = 0;
        for (int i = 0; i < 40; i++)
        {
            TimeSpan silent = _world.Now;
            _world.Do(() => a.Peers!.HandleSilence(b.Core.Id, b.Address, _world.Now));
            _world.RunUntil(() => a.News<PathChosen>().Last().Direct is not null, withinSeconds: 70);
            longest = Math.Max(longest, (_world.Now - silent).TotalSeconds);
        }

        Assert.InRange(longest, 59.9, 60.1);
    }

    [Fact]
    public void A_silence_of_another_path_than_the_one_in_use_changes_nothing()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        int events = a.Events.Count;
        _world.Do(() => a.Peers!.HandleSilence(b.Core.Id, default, _world.Now));
        _world.Do(() => a.Peers!.HandleSilence(b.Core.Id, TransportAddress.Parse("192.0.2.7:7"), _world.Now));
        _world.Do(() => a.Peers!.HandleSilence(Keys.Stranger.Id, b.Address, _world.Now));
        _world.Do(() => a.Peers!.HandlePeerMoved(Keys.Stranger.Id, b.Address, _world.Now));
        Assert.Equal(events, a.Events.Count);
    }

    [Fact]
    public void A_peer_whose_data_comes_by_the_relay_again_has_left_the_direct_path()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        _world.Do(() => a.Peers!.HandlePeerMoved(b.Core.Id, default, _world.Now));
        Assert.Null(a.News<PathChosen>().Last().Direct);
        _world.RunUntil(() => a.News<PathChosen>().Last().Direct is not null, withinSeconds: 0.1);
    }

    [Fact]
    public void A_dead_path_is_left_within_seconds_without_quic_and_found_again_when_it_works()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        TimeSpan died = _world.Now;
        _world.RunUntil(() => a.News<PathChosen>().Last().Direct is null && b.News<PathChosen>().Last().Direct is null, withinSeconds: 6);
        Assert.InRange((_world.Now - died).TotalSeconds, 0, 6);
        _world.Run(2);
        _world.Loses = static (_, _, _) => false;
        _world.RunUntil(() => a.News<PathChosen>().Last().Direct is not null && b.News<PathChosen>().Last().Direct is not null, withinSeconds: 5);
    }

    [Fact]
    public void Without_a_relay_the_dying_direct_path_stays_in_use_and_is_said_to_work_again()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        foreach (WorldNode node in new[] { a, b })
        {
            _world.Do(() => node.Core.SignallingClosed(0, _world.Now));
        }

        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        _world.Do(() => a.Peers!.HandleSilence(b.Core.Id, b.Address, _world.Now));
        _world.Run(1);
        _ = Assert.Single(a.News<PathChosen>());
        Assert.False(a.Has<PathWorksAgain>());
        _world.Loses = static (_, _, _) => false;
        _world.RunUntil(a.Has<PathWorksAgain>, withinSeconds: 1);
        Assert.Equal(b.Address, a.News<PathWorksAgain>().Last().Direct!.Value.Remote);
    }

    [Fact]
    public void The_smaller_id_begins_after_a_loss_and_the_larger_one_a_second_later_if_nothing_came()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        _world.Run(60);
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        _world.RunUntil(() => a.Has<CallClosed>() && b.Has<CallClosed>(), withinSeconds: 30);
        _world.RunUntil(() => Calls(a).Count > 0, withinSeconds: 30);
        Assert.Empty(Calls(b));

        // The smaller one is not heard by its server: the larger one goes ahead.
        using var other = new NodeWorld { Relays = true };
        (WorldNode c, WorldNode d, _) = Connected(other);
        other.Run(60);
        other.OnSignal = (node, m) => node == d && m is IncomingMessage ? null : m;
        other.Loses = (_, to, _) => to == c.Address || to == d.Address;
        other.RunUntil(() => Calls(d).Count > 0, withinSeconds: 30);
    }

    [Fact]
    public void A_failed_punch_is_tried_again_after_30_seconds_doubling_to_ten_minutes()
    {
        (WorldNode a, WorldNode b) = Two();
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        _ = Dial(a, b, connect: true);
        _world.Run(7200);
        double[] pauses = Pauses(a);

        // From a failure to the next attempt: the punch itself takes 5 s of it.
        Assert.True(pauses.Length > 5, string.Join(" ", pauses));
        Assert.InRange(pauses[0], 30, 45);
        Assert.All(pauses, static p => Assert.InRange(p, 29, 615));
        Assert.InRange(pauses[^1], 590, 615);
    }

    [Fact]
    public void After_a_change_of_candidates_it_is_tried_at_once_but_not_more_than_once_in_two_seconds()
    {
        (WorldNode a, WorldNode b) = Two();
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        _ = Dial(a, b, connect: true);
        _world.RunUntil(() => a.Has<PunchEnded>() && b.Has<PunchEnded>(), withinSeconds: 10);
        int before = Calls(a).Count;
        TimeSpan changed = _world.Now;
        _world.Do(() => a.Core.SetPublicAddress(TransportAddress.Parse("203.0.113.77:7"), _world.Now));
        _world.RunUntil(() => Calls(a).Count > before, withinSeconds: 0.5);
        Assert.Equal(changed, _world.Now);
        for (int i = 1; i <= 40; i++)
        {
            _world.Run(0.25);
            _world.Do(() => a.Core.SetPublicAddress(TransportAddress.Parse($"203.0.113.77:{i + 7}"), _world.Now));
        }

        TimeSpan[] times = [.. Calls(a)];
        Assert.All(times.Zip(times.Skip(1)), static pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromSeconds(2), $"{pair.First} and {pair.Second}"));
    }

    [Fact]
    public void Two_that_dial_each_other_for_one_protocol_keep_the_smaller_ones_dial()
    {
        (WorldNode a, WorldNode b) = Two();
        CallId ofA = Dial(a, b);
        CallId ofB = Dial(b, a);
        _world.Run(1);
        // It hears it twice at most, with the peer's call and with the no to its own: whichever comes first.
        Assert.InRange(b.News<DialGlared>().Count(), 1, 2);
        Assert.All(b.News<DialGlared>(), g => Assert.Equal(ofB, g.Call));
        Assert.Equal(RejectReason.Glare, Assert.Single(a.Said<RejectMessage>()).Reason);
        Assert.Empty(b.Said<RejectMessage>());
        Assert.Empty(a.News<DialGlared>());
        Assert.Empty(a.News<DialFailed>().Concat(b.News<DialFailed>()));

        // The larger one knows whose connection comes; the smaller one, that what the larger one began comes to nothing.
        Assert.True(b.Peers!.IsExpected(a.Core.Id, Protocol));
        Assert.True(a.Peers!.TakeGlare(b.Core.Id, Protocol));
        Assert.False(a.Peers.TakeGlare(b.Core.Id, Protocol));
        Assert.Equal(ofA, b.Peers.AddConnection(a.Core.Id, Protocol, isIncoming: true, allowsDirect: true, _world.Now));
    }

    [Fact]
    public void Two_that_dial_each_other_for_two_protocols_get_both()
    {
        (WorldNode a, WorldNode b) = Two();
        _ = Dial(a, b);
        _ = Dial(b, a, "other");
        _world.Run(1);
        Assert.Empty(a.News<DialGlared>().Concat(b.News<DialGlared>()));
        Assert.True(a.Peers!.IsExpected(b.Core.Id, "other"));
        Assert.True(b.Peers!.IsExpected(a.Core.Id, Protocol));
    }

    [Fact]
    public void Who_dials_while_the_peers_accepted_dial_is_on_its_way_waits_for_that_one_and_calls_when_it_does_not_come()
    {
        (WorldNode a, WorldNode b) = Two();
        _ = Dial(a, b);
        _world.RunUntil(() => b.Peers!.IsExpected(a.Core.Id, Protocol), withinSeconds: 1);
        CallId call = b.Core.NewCallId();
        var request = new DialRequest(call, a.Core.Id, Protocol);
        _world.Do(() => Assert.False(b.Peers!.TryBeginDial(request, _world.Now)));
        Assert.Empty(b.Said<ConnectMessage>());
        _world.Do(() => b.Peers!.DialAfterAll(request, _world.Now));
        Assert.Equal(Protocol, Assert.Single(b.Said<ConnectMessage>()).Protocol);
        Assert.False(b.Peers!.IsExpected(a.Core.Id, Protocol));
    }

    [Fact]
    public void A_dial_with_a_path_there_names_no_address_and_is_told_when_that_path_dies_on_its_way()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        a.Signals.Clear();
        CallId second = a.Core.NewCallId();
        _world.Do(() => Assert.True(a.Peers!.TryBeginDial(new DialRequest(second, b.Core.Id, Protocol), _world.Now)));
        _world.RunUntil(a.Has<CallSharesPath>, withinSeconds: 1);
        Assert.Empty(Assert.Single(a.Said<ConnectMessage>()).Candidates!);
        Assert.Empty(a.News<DialFailed>());
        Assert.DoesNotContain(a.News<PunchEnded>(), p => p.Call == second);

        CallId third = a.Core.NewCallId();
        _world.Do(() => Assert.True(a.Peers!.TryBeginDial(new DialRequest(third, b.Core.Id, Protocol), _world.Now)));
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        _world.Do(() => a.Peers!.HandleSilence(b.Core.Id, b.Address, _world.Now));
        _world.RunUntil(() => a.News<PunchEnded>().Any(p => p.Call == third), withinSeconds: 1);
        Assert.Equal(PunchOutcome.Failed, a.News<PunchEnded>().Last().Outcome);
        Assert.Empty(a.News<DialFailed>());
    }

    [Theory]
    [InlineData(RejectReason.Offline, GimletErrorKind.PeerOffline)]
    [InlineData(RejectReason.Refused, GimletErrorKind.Refused)]
    [InlineData(RejectReason.Unsupported, GimletErrorKind.Unsupported)]
    [InlineData(RejectReason.Busy, GimletErrorKind.RendezvousRejected)]
    public void A_no_after_the_introduction_fails_the_dial_too(string reason, GimletErrorKind kind)
    {
        foreach (bool wantsPaths in new[] { true, false })
        {
            using var world = new NodeWorld { Relays = true };
            (WorldNode a, WorldNode b) = Two(world);
            world.Loses = (_, to, _) => to == a.Address || to == b.Address;
            CallId call = a.Core.NewCallId();
            world.Do(() => Assert.True(a.Peers!.TryBeginDial(new DialRequest(call, b.Core.Id, Protocol) { WantsPaths = wantsPaths }, world.Now)));
            world.RunUntil(() => b.Has<CallAdmitted>() && (wantsPaths ? a.Has<CallIntroduced>() : a.Has<CallFailed>()), withinSeconds: 1);
            Assert.Empty(a.News<DialFailed>());
            world.Tell(a, 0, new RejectMessage { Call = call.ToString(), Reason = reason });
            DialFailed failed = Assert.Single(a.News<DialFailed>());
            Assert.Equal((call, kind), (failed.Call, failed.Kind));

            // Said once; and a call that has become a connection is nobody's to reject.
            world.Tell(a, 0, new RejectMessage { Call = call.ToString(), Reason = reason });
            world.Run(10);
            _ = Assert.Single(a.News<DialFailed>());
        }
    }

    [Fact]
    public void A_server_cannot_reject_what_has_become_a_connection()
    {
        (WorldNode a, WorldNode b, CallId call) = Connected();
        _world.Tell(a, 0, new RejectMessage { Call = call.ToString(), Reason = RejectReason.Refused });
        _world.Tell(a, 0, new RejectMessage { Call = call.ToString(), Reason = RejectReason.Glare });
        _world.Run(60);
        Assert.Empty(a.News<CallFailed>());
        Assert.Empty(a.News<DialGlared>());
        Assert.NotNull(a.Peers!.DirectPathOf(b.Core.Id));
    }

    [Fact]
    public void Of_two_agents_that_work_one_stays_and_only_the_smaller_id_ends_the_other()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        CallId second = b.Core.NewCallId();
        _world.Do(() => b.Core.Dial(new DialRequest(second, a.Core.Id), _world.Now));
        _world.RunUntil(() => a.News<CallConnected>().Count() == 2 && b.News<CallConnected>().Count() == 2, withinSeconds: 1);
        _world.Run(10);
        Assert.Equal(CallEnd.Closed, Assert.Single(a.News<CallClosed>()).End);
        Assert.Equal(CallEnd.ClosedByPeer, Assert.Single(b.News<CallClosed>()).End);
        Assert.Equal(a.News<CallClosed>().Single().Handle, b.News<CallClosed>().Single().Handle);
        Assert.NotNull(a.Peers!.DirectPathOf(b.Core.Id));
        Assert.NotNull(b.Peers!.DirectPathOf(a.Core.Id));
        _world.Run(60);
        _ = Assert.Single(a.News<CallClosed>());
    }

    [Fact]
    public void A_peer_without_connections_is_forgotten_after_ten_seconds_and_its_path_with_it()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        _world.Do(() => a.Peers!.RemoveConnection(b.Core.Id, allowsDirect: true, _world.Now));
        _world.Do(() => b.Peers!.RemoveConnection(a.Core.Id, allowsDirect: true, _world.Now));
        _world.Run(9.9);
        Assert.Equal((1, 1), (a.Peers!.Count, b.Peers!.Count));
        Assert.NotNull(a.Peers.DirectPathOf(b.Core.Id));
        _world.Run(0.5);
        Assert.Equal((0, 0), (a.Peers.Count, b.Peers.Count));
        Assert.Equal((0, 0), (a.Peers.CallCount, b.Peers.CallCount));
        _ = Assert.Single(a.News<PeerForgotten>());
        _ = Assert.Single(b.News<PeerForgotten>());
        Assert.Equal(TimeSpan.MaxValue, a.Peers.NextTimeout);
    }

    [Fact]
    public void A_dial_that_is_given_up_leaves_nothing_on_either_side()
    {
        (WorldNode a, WorldNode b) = Two();
        for (int i = 0; i < 20; i++)
        {
            CallId call = Dial(a, b);
            _world.Run(i * 0.01);
            _world.Do(() => a.Peers!.EndDial(call, isConnected: false, _world.Now));
        }

        _world.Run(60);
        Assert.Equal((0, 0, 0, 0), (a.Peers!.Count, b.Peers!.Count, a.Peers.CallCount, b.Peers.CallCount));
    }

    [Fact]
    public void When_the_last_connection_leaves_the_direct_path_its_checks_end()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        _world.Do(() => a.Peers!.LeaveDirect(b.Core.Id, _world.Now));
        _world.Run(2);
        Assert.Equal(CallEnd.Closed, Assert.Single(a.News<CallClosed>()).End);
        _world.Do(() => b.Peers!.LeaveDirect(a.Core.Id, _world.Now));
        _world.Run(2);
        _world.Datagrams.Clear();
        _world.Run(120);
        Assert.DoesNotContain(_world.Datagrams, d => d.To == a.Address || d.To == b.Address);
    }

    private static List<TimeSpan> Calls(WorldNode node) => [.. node.SignalTimes.Where(static s => s.Message is ConnectMessage { Protocol: null }).Select(static s => s.At)];

    private static double[] Pauses(WorldNode node)
    {
        TimeSpan[] times = [.. node.SignalTimes.Where(static s => s.Message is ConnectMessage).Select(static s => s.At)];
        return [.. times.Zip(times.Skip(1)).Select(static pair => (pair.Second - pair.First).TotalSeconds)];
    }

    private (WorldNode A, WorldNode B) Two(NodeWorld? world = null)
    {
        world ??= _world;
        WorldNode a = world.Add(Keys.Small, "203.0.113.1:1001", static o => o with { Protocols = [Protocol, "other"] }).WithPeers();
        WorldNode b = world.Add(Keys.Large, "203.0.113.2:2002", static o => o with { Protocols = [Protocol, "other"] }).WithPeers();
        world.Run(6);
        world.Register(a);
        world.Register(b);
        world.Run(0.1);
        return (a, b);
    }

    private CallId Dial(WorldNode from, WorldNode to, string protocol = Protocol, bool connect = false, NodeWorld? world = null)
    {
        world ??= _world;
        CallId call = from.Core.NewCallId();
        world.Do(() => Assert.True(from.Peers!.TryBeginDial(new DialRequest(call, to.Core.Id, protocol), world.Now)));
        if (connect)
        {
            world.RunUntil(() => to.Peers!.IsExpected(from.Core.Id, protocol), withinSeconds: 1);
            world.Do(() =>
            {
                _ = from.Peers!.AddConnection(to.Core.Id, protocol, isIncoming: false, allowsDirect: true, world.Now);
                from.Peers.EndDial(call, isConnected: true, world.Now);
                Assert.Equal(call, to.Peers!.AddConnection(from.Core.Id, protocol, isIncoming: true, allowsDirect: true, world.Now));
            });
        }

        return call;
    }

    private (WorldNode A, WorldNode B, CallId Call) Connected(NodeWorld? world = null)
    {
        world ??= _world;
        (WorldNode a, WorldNode b) = Two(world);
        CallId call = Dial(a, b, connect: true, world: world);
        world.RunUntil(() => a.Has<PathChosen>() && b.Has<PathChosen>(), withinSeconds: 1);

        // Settled: no check is on its way.
        world.Run(1);
        return (a, b, call);
    }
}
