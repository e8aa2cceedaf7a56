using Gimlet.Calls;
using Gimlet.Node;
using Gimlet.Peers;
using Gimlet.Signalling;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Node;

/// <summary>A caller that gives up says so, and its callee waits and punches no longer.</summary>
public sealed class HangupTests : IDisposable
{
    private const string Protocol = "test";

    private readonly NodeWorld _world = new() { Relays = true };

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_callee_of_a_dial_that_is_given_up_punches_no_longer_and_expects_nothing(bool onAccept)
    {
        (WorldNode a, WorldNode b) = Two(onAccept);
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        CallId call = Dial(a, b);
        _world.Run(0.3);
        Assert.True(b.Peers!.IsExpected(a.Core.Id, Protocol));
        Assert.Equal((1, 1), (a.Core.CallCount, b.Core.CallCount));

        _world.Do(() => a.Peers!.EndDial(call, isConnected: false, _world.Now));
        Assert.Equal(call.ToString(), Assert.Single(a.Said<HangupMessage>()).Call);
        _world.Run(2.1 * NodeWorld.OneWay.TotalSeconds);
        Assert.False(b.Peers.IsExpected(a.Core.Id, Protocol));
        Assert.Equal((0, 0), (a.Core.CallCount, b.Core.CallCount));
        Assert.Equal(new ExpectedDialEnded(a.Core.Id, call, Protocol, IsLast: true), Assert.Single(b.News<ExpectedDialEnded>()));
        Assert.Equal(0, Assert.IsType<DialsExpected>(b.News<DialsExpected>().Last()).Count);
        _world.Datagrams.Clear();
        _world.Run(9);
        Assert.DoesNotContain(_world.Datagrams, d => d.To == a.Address || d.To == b.Address);

        // The next dial goes its own way at once.
        CallId back = Dial(b, a);
        Assert.Equal(back.ToString(), Assert.Single(b.Said<ConnectMessage>()).Call);
    }

    [Fact]
    public void A_dial_that_waits_for_an_answer_when_its_time_is_over_is_hung_up()
    {
        (WorldNode a, WorldNode b) = Two(onAccept: true);
        _world.OnSignal = static (_, message) => message is IntroduceMessage ? null : message;
        CallId call = Dial(a, b);
        _world.RunUntil(() => a.Has<DialFailed>(), withinSeconds: 30);
        Assert.Equal(GimletErrorKind.TimedOut, a.News<DialFailed>().Single().Kind);
        Assert.Equal(call.ToString(), Assert.Single(a.Said<HangupMessage>()).Call);

        // Its end is known already.
        _world.Do(() => a.Peers!.EndDial(call, isConnected: false, _world.Now));
        _ = Assert.Single(a.Said<HangupMessage>());
    }

    [Fact]
    public void A_dial_that_was_rejected_or_never_left_ends_without_a_word()
    {
        (WorldNode a, WorldNode b) = Two();
        CallId refused = Dial(a, b, "nobody speaks it");
        CallId offline = a.Core.NewCallId();
        _world.Do(() => Assert.True(a.Peers!.TryBeginDial(new DialRequest(offline, Keys.Stranger.Id, Protocol), _world.Now)));
        _world.Run(1);
        Assert.Equal(2, a.News<DialFailed>().Count());
        _world.Do(() => a.Core.SignallingClosed(0, _world.Now));
        CallId nowhere = Dial(a, b);
        foreach (CallId call in new[] { refused, offline, nowhere })
        {
            _world.Do(() => a.Peers!.EndDial(call, isConnected: false, _world.Now));
        }

        Assert.Empty(a.Said<HangupMessage>());
    }

    [Fact]
    public void Nothing_of_another_call_is_touched()
    {
        (WorldNode a, WorldNode b) = Two();
        CallId first = Dial(a, b);
        CallId second = Dial(a, b);
        CallId third = Dial(a, b, "other");
        _world.Run(0.03);
        _world.Do(() => a.Peers!.EndDial(first, isConnected: false, _world.Now));
        _world.Run(1);
        Assert.False(Assert.Single(b.News<ExpectedDialEnded>()).IsLast);
        Assert.True(b.Peers!.IsExpected(a.Core.Id, Protocol));
        Assert.True(b.Peers.IsExpected(a.Core.Id, "other"));
        Assert.Equal(second, b.Peers.AddConnection(a.Core.Id, Protocol, isIncoming: true, allowsDirect: true, _world.Now));
        Assert.Equal(third, b.Peers.AddConnection(a.Core.Id, "other", isIncoming: true, allowsDirect: true, _world.Now));
        Assert.NotNull(b.Peers.DirectPathOf(a.Core.Id));
    }

    [Fact]
    public void A_call_whose_connection_exists_is_not_touched_by_a_hangup_of_it()
    {
        (WorldNode a, WorldNode b) = Two();
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        CallId call = Dial(a, b);
        _world.Run(0.1);
        Connect(a, b, call);

        // A caller that lies, or changed its mind in the very moment: the punch goes on for the connection.
        _world.Tell(b, 0, new HangupMessage { Call = call.ToString() });
        Assert.Empty(b.News<ExpectedDialEnded>());
        _world.Loses = static (_, _, _) => false;
        _world.RunUntil(() => b.Has<PathChosen>() && a.Has<PathChosen>(), withinSeconds: 3);
        _world.Tell(b, 0, new HangupMessage { Call = call.ToString() });
        _world.Run(60);
        Assert.Empty(b.News<CallClosed>());
        Assert.NotNull(b.Peers!.DirectPathOf(a.Core.Id));
    }

    [Fact]
    public void A_dial_that_is_given_up_beside_a_connection_leaves_the_path_that_its_checks_found()
    {
        (WorldNode a, WorldNode b) = Two();
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        CallId relayed = Dial(a, b);
        _world.RunUntil(() => a.Has<PunchEnded>() && b.Has<PunchEnded>(), withinSeconds: 8);
        Connect(a, b, relayed);
        _world.Loses = static (_, _, _) => false;
        CallId second = Dial(a, b, "other");
        _world.RunUntil(() => a.Has<PathChosen>() && b.Has<PathChosen>(), withinSeconds: 1);
        _world.Do(() => a.Peers!.EndDial(second, isConnected: false, _world.Now));
        Assert.Equal(second.ToString(), Assert.Single(a.Said<HangupMessage>()).Call);
        _world.Run(60);
        Assert.False(b.Peers!.IsExpected(a.Core.Id, "other"));
        Assert.NotNull(a.Peers!.DirectPathOf(b.Core.Id));
        Assert.NotNull(b.Peers.DirectPathOf(a.Core.Id));
        Assert.Empty(a.News<CallClosed>().Concat(b.News<CallClosed>()));
    }

    [Fact]
    public void A_dial_that_is_given_up_beside_a_connection_does_not_end_the_search_for_paths()
    {
        (WorldNode a, WorldNode b) = Two();
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        CallId relayed = Dial(a, b);
        _world.RunUntil(() => a.Has<PunchEnded>() && b.Has<PunchEnded>(), withinSeconds: 8);
        Connect(a, b, relayed);
        CallId second = Dial(a, b, "other");
        _world.Run(0.2);
        _world.Do(() => a.Peers!.EndDial(second, isConnected: false, _world.Now));
        _world.RunUntil(() => a.News<PunchEnded>().Count() == 2 && b.News<PunchEnded>().Count() == 2, withinSeconds: 6);
        Assert.NotEqual(RelayCause.StillTrying, a.Peers!.Explain(b.Core.Id).Cause);
        _world.Loses = static (_, _, _) => false;
        _world.RunUntil(() => a.Has<PathChosen>() && b.Has<PathChosen>(), withinSeconds: 700);
    }

    [Fact]
    public void A_dial_whose_outcome_was_the_peers_connection_is_not_waited_for()
    {
        (WorldNode a, WorldNode b) = Two();

        // The smaller one's dial is a connection there when the larger one's call comes, and is taken: that one returns the connection that it got.
        CallId ofA = Dial(a, b);
        CallId ofB = Dial(b, a);
        _world.Do(() =>
        {
            _ = a.Peers!.AddConnection(b.Core.Id, Protocol, isIncoming: false, allowsDirect: true, _world.Now);
            a.Peers.EndDial(ofA, isConnected: true, _world.Now);
        });
        _world.RunUntil(() => b.Peers!.IsExpected(a.Core.Id, Protocol) && a.Peers!.IsExpected(b.Core.Id, Protocol), withinSeconds: 1);
        _world.Do(() =>
        {
            Assert.Equal(ofA, b.Peers!.AddConnection(a.Core.Id, Protocol, isIncoming: true, allowsDirect: true, _world.Now));
            b.Peers.EndDial(ofB, isConnected: false, _world.Now);
        });
        _world.Run(1);
        Assert.False(a.Peers!.IsExpected(b.Core.Id, Protocol));
        Assert.NotNull(a.Peers.DirectPathOf(b.Core.Id));
        Assert.NotNull(b.Peers!.DirectPathOf(a.Core.Id));
        _world.Do(() => Assert.True(a.Peers.TryBeginDial(new DialRequest(a.Core.NewCallId(), b.Core.Id, Protocol), _world.Now)));
    }

    [Fact]
    public void A_no_that_comes_after_the_end_of_its_dial_ends_the_search_for_paths()
    {
        (WorldNode a, WorldNode b) = Two();
        _world.OnSignal = static (_, message) => message is RejectMessage ? null : message;
        CallId ofA = Dial(a, b);
        CallId ofB = Dial(b, a);
        _world.RunUntil(() => b.Peers!.IsExpected(a.Core.Id, Protocol) && b.Core.CallCount == 2, withinSeconds: 1);
        Connect(a, b, ofA);
        _world.Do(() => b.Peers!.EndDial(ofB, isConnected: false, _world.Now));
        _world.OnSignal = static (_, message) => message;
        _world.Tell(b, 0, new RejectMessage { Call = ofB.ToString(), Reason = RejectReason.Glare });
        Assert.Equal(1, b.Core.CallCount);
        Assert.Empty(b.News<CallFailed>());
    }

    [Fact]
    public void Another_server_ends_no_call_and_unknown_calls_leave_nothing()
    {
        (WorldNode a, WorldNode b) = Two(servers: 2);
        _world.Register(b, 1);
        _world.Loses = (_, to, _) => to == a.Address || to == b.Address;
        CallId call = Dial(a, b);
        _world.Run(0.2);
        _world.Tell(b, 1, new HangupMessage { Call = call.ToString() });
        Assert.True(b.Peers!.IsExpected(a.Core.Id, Protocol));
        Assert.Equal(1, b.Core.CallCount);

        int events = b.Events.Count;
        (int Peers, int Calls) before = (b.Peers.Count, b.Peers.CallCount);
        foreach (string? id in new[] { null, string.Empty, "x", new string('0', 32), b.Core.NewCallId().ToString() })
        {
            _world.Tell(b, 0, new HangupMessage { Call = id });
        }

        Assert.Equal((events, before), (b.Events.Count, (b.Peers.Count, b.Peers.CallCount)));

        // A call of the node's own is not its callee's to hang up.
        _world.Tell(a, 0, new HangupMessage { Call = call.ToString() });
        Assert.Equal(1, a.Core.CallCount);
        _world.Tell(b, 0, new HangupMessage { Call = call.ToString() });
        Assert.False(b.Peers.IsExpected(a.Core.Id, Protocol));
    }

    [Fact]
    public void A_call_that_is_told_again_is_one_dial_that_is_expected()
    {
        (WorldNode a, WorldNode b) = Two();
        IncomingMessage? incoming = null;
        _world.OnSignal = (_, message) =>
        {
            // Without addresses there is no agent by which the call could be known.
            incoming = message is IncomingMessage i ? i with { Candidates = [] } : incoming;
            return message is IncomingMessage ? incoming : message;
        };
        CallId call = Dial(a, b);
        _world.Run(0.1);
        _world.Tell(b, 0, incoming!);
        Assert.Equal(1, b.News<DialsExpected>().Last().Count);
        Assert.Equal(call, b.Peers!.AddConnection(a.Core.Id, Protocol, isIncoming: true, allowsDirect: true, _world.Now));
        Assert.False(b.Peers.IsExpected(a.Core.Id, Protocol));
    }

    [Fact]
    public void A_dial_that_is_expected_in_vain_ends_after_ten_seconds_where_nobody_hangs_up()
    {
        (WorldNode a, WorldNode b) = Two();
        _world.OnSignal = static (_, message) => message is HangupMessage ? null : message;
        CallId call = Dial(a, b);
        _world.RunUntil(() => b.Peers!.IsExpected(a.Core.Id, Protocol), withinSeconds: 1);
        _world.Do(() => a.Peers!.EndDial(call, isConnected: false, _world.Now));
        _world.Run(9.9);
        Assert.Empty(b.News<ExpectedDialEnded>());
        _world.Run(0.2);
        Assert.Equal(new ExpectedDialEnded(a.Core.Id, call, Protocol, IsLast: true), Assert.Single(b.News<ExpectedDialEnded>()));
    }

    [Fact]
    public void A_node_that_goes_hangs_up_what_waits_for_an_answer()
    {
        (WorldNode a, WorldNode b) = Two(onAccept: true);
        CallId call = Dial(a, b);
        _world.Do(() => a.Core.HangupAll(_world.Now));
        Assert.Equal(call.ToString(), Assert.Single(a.Said<HangupMessage>()).Call);
    }

    private (WorldNode A, WorldNode B) Two(bool onAccept = false, int servers = 1)
    {
        NodeCoreOptions Configure(NodeCoreOptions o) => o with { Protocols = [Protocol, "other"], OnAccept = onAccept, Servers = servers };
        WorldNode a = _world.Add(Keys.Small, "203.0.113.1:1001", Configure).WithPeers();
        WorldNode b = _world.Add(Keys.Large, "203.0.113.2:2002", Configure).WithPeers();
        _world.Run(6);
        _world.Register(a);
        _world.Register(b);
        _world.Run(0.1);
        return (a, b);
    }

    private CallId Dial(WorldNode from, WorldNode to, string protocol = Protocol)
    {
        CallId call = from.Core.NewCallId();
        _world.Do(() => Assert.True(from.Peers!.TryBeginDial(new DialRequest(call, to.Core.Id, protocol), _world.Now)));
        return call;
    }

    private void Connect(WorldNode from, WorldNode to, CallId call) => _world.Do(() =>
    {
        _ = from.Peers!.AddConnection(to.Core.Id, Protocol, isIncoming: false, allowsDirect: true, _world.Now);
        from.Peers.EndDial(call, isConnected: true, _world.Now);
        Assert.Equal(call, to.Peers!.AddConnection(from.Core.Id, Protocol, isIncoming: true, allowsDirect: true, _world.Now));
    });
}
