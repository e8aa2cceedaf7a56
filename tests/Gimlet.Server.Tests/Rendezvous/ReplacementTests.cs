using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Rendezvous;

public sealed class ReplacementTests
{
    [Fact]
    public void Registering_again_replaces_the_older_session_and_its_end_leaves_the_new_one_alone()
    {
        var world = new World();
        WorldNode older = world.Register();
        WorldNode newer = world.Register(node: older.Node);
        older.ShouldBeRefused(ErrorCode.Replaced, 4001);
        Assert.Equal(1, world.Core.NodeCount);
        older.Disconnect();
        Assert.Equal(1, world.Core.NodeCount);
        Assert.Equal(1, world.Core.SessionCount);

        WorldNode caller = world.Register();
        string call = caller.Call(newer);
        Assert.Equal(call, newer.Output.Next<IncomingMessage>().Call);
        Assert.Equal(call, caller.Output.Next<IntroduceMessage>().Call);
    }

    [Fact]
    public void What_an_older_session_still_sends_is_not_heard()
    {
        var world = new World();
        WorldNode older = world.Register();
        WorldNode other = world.Register();
        _ = world.Register(node: older.Node);
        _ = older.Output.Drain();
        _ = older.Call(other);
        other.Output.Nothing();
        older.Output.Nothing();
    }

    [Fact]
    public void A_call_that_waits_for_a_callee_moves_to_its_new_session()
    {
        var world = new World();
        WorldNode caller = world.Register();
        WorldNode older = world.Register(accept: AcceptMode.OnAccept);
        string call = caller.Call(older);
        IncomingMessage first = older.Output.Next<IncomingMessage>();
        WorldNode newer = world.Connect();
        var moved = new WorldNode(world, "198.51.100.9:9", World.Authority, older.Node);
        moved.Register(AcceptMode.OnAccept);
        _ = moved.Output.Next<RegisteredMessage>();
        IncomingMessage again = moved.Output.Next<IncomingMessage>();
        Assert.Equal((first.Call, first.Peer), (again.Call, again.Peer));
        Assert.Equal(first.Ephemeral!.Key, again.Ephemeral!.Key);
        Assert.Equal(first.Candidates!.Select(c => c.Address), again.Candidates!.Select(c => c.Address));
        older.Disconnect();
        caller.Output.Nothing();
        moved.Send(new AcceptMessage { Call = call });
        Assert.Equal(call, caller.Output.Next<IntroduceMessage>().Call);
        newer.Disconnect();
    }

    [Fact]
    public void A_caller_that_came_back_is_introduced_on_its_new_session()
    {
        var world = new World();
        WorldNode caller = world.Register();
        WorldNode callee = world.Register(accept: AcceptMode.OnAccept);
        string call = caller.Call(callee);
        WorldNode back = world.Register(node: caller.Node);
        callee.Send(new AcceptMessage { Call = call });
        Assert.Equal(call, back.Output.Next<IntroduceMessage>().Call);
    }

    [Fact]
    public void A_caller_that_came_back_may_call_again_with_the_same_call_id()
    {
        var world = new World();
        WorldNode caller = world.Register();
        WorldNode callee = world.Register();
        string call = caller.Call(callee);
        WorldNode back = world.Register(node: caller.Node);
        back.Send(back.Node.Call(callee.Id, call));
        Assert.Equal(call, back.Output.Next<IntroduceMessage>().Call);
        Assert.Equal(2, callee.Output.Drain().OfType<IncomingMessage>().Count(m => m.Call == call));
        Assert.Equal(1, world.Core.CallCount);
    }

    [Fact]
    public void Trickled_candidates_follow_a_node_to_its_new_session()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        string call = a.Call(b);
        WorldNode back = world.Register(node: b.Node);
        b.Disconnect();
        a.Send(new CandidatesMessage { Call = call, Candidates = TestNode.Host("10.0.0.1:1") });
        Assert.Equal(call, back.Output.Next<CandidatesMessage>().Call);
    }

    [Fact]
    public void An_accept_for_a_caller_that_is_gone_ends_the_call()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register(accept: AcceptMode.OnAccept);
        string call = a.Call(b);
        a.Disconnect();
        b.Send(new AcceptMessage { Call = call });
        Assert.Equal(0, world.Core.CallCount);
    }

    [Fact]
    public void Coming_back_does_not_refill_the_rate_of_calls()
    {
        var world = new World(o => o with { Limits = o.Limits with { CallsPerMinute = 1 } });
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        _ = a.Call(b);
        WorldNode back = world.Register(node: a.Node);
        string call = back.Call(b);
        back.ShouldBeRejected(call, RejectReason.RateLimited);
    }

    [Fact]
    public async Task Registrations_of_one_id_from_many_threads_leave_exactly_one_session()
    {
        var world = new World(o => o with { Limits = o.Limits with { UnregisteredPerAddress = 1000, CallsPerMinute = 10_000, IncomingCallsPerMinute = 10_000 } });
        using var contested = new TestNode();
        WorldNode caller = world.Register();
        for (int round = 0; round < 20; round++)
        {
            WorldNode[] contenders = [.. Enumerable.Range(0, 8).Select(_ => new WorldNode(world, "198.51.100.7:1", World.Authority, contested))];
            using var start = new Barrier(contenders.Length);
            await Task.WhenAll(contenders.Select((node, i) => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait(TestContext.Current.CancellationToken);
                    node.Register(i % 2 == 0 ? AcceptMode.Open : AcceptMode.OnAccept);
                    if (node.Session.IsClosed)
                    {
                        node.Disconnect();
                    }
                },
                TestContext.Current.CancellationToken,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)));

            WorldNode last = Assert.Single(contenders, n => !n.Session.IsClosed);
            Assert.All(contenders.Where(n => n != last), n => Assert.Equal(4001, n.Output.CloseCode));
            foreach (WorldNode gone in contenders.Where(n => n != last))
            {
                gone.Disconnect();
            }

            Assert.Equal(2, world.Core.NodeCount);
            string call = caller.Call(last);
            Assert.Contains(last.Output.Drain(), m => m is IncomingMessage incoming && incoming.Call == call);
            last.Disconnect();
            _ = caller.Output.Drain();
            Assert.Equal(1, world.Core.NodeCount);
            Assert.Equal(1, world.Core.SessionCount);
        }
    }
}
