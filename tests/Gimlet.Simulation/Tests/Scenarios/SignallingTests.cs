using Gimlet.Node;
using Gimlet.Sockets;
using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>Dials and the servers that carry them: both at once, in the middle of a cut, too early, too late, refused.</summary>
public sealed class SignallingTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    [Fact]
    public void Two_nodes_that_dial_each_other_at_once_both_get_their_connection() => Seeds.Run(100, static (seed, trace) =>
    {
        World world = new(seed, trace);
        Pair pair = Pair.Behind(world, Home(world, "a"), Home(world, "b")).Ready();
        SimCall mine = pair.A.Dial(pair.B.Id);
        world.RunFor(world.Random("glare").Next(TimeSpan.Zero, TimeSpan.FromMilliseconds(100)));
        SimCall theirs = pair.B.Dial(pair.A.Id);
        Assert.True(world.RunUntil(() => mine.ConnectedAt is not null && theirs.ConnectedAt is not null, Deadline), "one of the dials has no path");
        world.RunFor(TimeSpan.FromSeconds(10));
        Assert.True(mine.HasPath && theirs.HasPath);
    });

    [Fact]
    public void A_caller_that_loses_its_server_in_the_middle_of_a_dial_gets_through_all_the_same() => Seeds.Run(100, static (seed, trace) =>
    {
        World world = new(seed, trace);
        Pair pair = Pair.Behind(world, Home(world, "a"), Home(world, "b")).Ready();
        SimCall call = pair.A.Dial(pair.B.Id);

        // Whatever has been said by then: before the introduction the dial goes out again, after it nobody needs the server.
        world.After(world.Random("cut").Next(TimeSpan.Zero, TimeSpan.FromMilliseconds(200)), () => pair.A.Links[0].Channel!.Break("cut by the test"));
        Assert.True(world.RunUntil(() => call.IsOver || (call.HasPath && pair.Callee(call) is { HasPath: true }), TimeSpan.FromSeconds(20)), "neither a path nor an end");
        Assert.Null(call.Failure);
        pair.AssertSamePath(call);
    });

    [Fact]
    public void A_direct_connection_does_not_notice_that_its_server_crashes_and_both_nodes_are_back_within_seconds_of_its_return() => Seeds.Run(50, static (seed, trace) =>
    {
        World world = new(seed, trace);
        Pair pair = Pair.Behind(world, Home(world, "a"), Home(world, "b")).Ready();
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        pair.Server.Rendezvous.Crash();
        world.RunFor(TimeSpan.FromSeconds(3));
        Assert.False(pair.A.IsRegistered);
        pair.Server.Rendezvous.Restart();
        Assert.True(world.RunUntil(() => pair.A.IsRegistered && pair.B.IsRegistered, Deadline));
        Assert.Null(call.LostAt);
        pair.AssertSamePath(call);
        world.RunFor(TimeSpan.FromSeconds(5));
        pair.A.Hangup(call);
        pair.AssertSamePath(pair.Connect(Deadline));
    });

    [Fact]
    public void A_node_dials_before_it_knows_its_own_address_and_later_candidates_reach_the_peer() => Seeds.Run(100, static (seed, trace) =>
    {
        World world = new(seed, trace);
        Pair pair = Pair.Behind(world, Home(world, "a"), Home(world, "b"));
        Assert.True(world.RunUntil(() => pair.B.IsReady, TimeSpan.FromSeconds(20)));
        world.RunFor(TimeSpan.FromSeconds(1));

        // A's STUN hears nothing until its call is under way; what it learns then can only be trickled.
        SimNode late = new(new Router(world, "late nat", world.Internet, Home(world, "late")).Inside.AddHost("late"), SimIdentities.Get(world, 5), new SimNodeOptions(), pair.Server);
        pair.Server.Stun.IsSilent = true;
        Assert.True(world.RunUntil(() => late.IsRegistered, Deadline));
        SimCall call = late.Dial(pair.B.Id);
        world.RunFor(TimeSpan.FromMilliseconds(300));
        pair.Server.Stun.IsSilent = false;
        Assert.True(world.RunUntil(() => call.IsOver || call.HasPath, Deadline));
        Assert.Null(call.Failure);
    });

    [Fact]
    public void A_registered_node_is_reachable_at_the_address_that_it_learned_after_it_had_registered() => Seeds.Run(50, static (seed, trace) =>
    {
        World world = new(seed, trace);
        NatBehaviour hard = NatBehaviour.PortRestrictedCone with { Ports = PortAllocation.Random };
        Pair pair = Pair.Behind(world, new RouterOptions { Nat = hard }, new RouterOptions { Nat = hard }).Ready();
        _ = pair.NatB.ChangePublicAddress();

        // B's STUN refresh notices within 25 s, and the server and the next caller learn of it.
        world.RunFor(TimeSpan.FromSeconds(40));
        pair.AssertSamePath(pair.Connect(Deadline));
    });

    [Fact]
    public void A_peer_that_is_not_registered_is_offline_at_once()
    {
        World world = new(1);
        Pair pair = Pair.Behind(world, Home(world, "a"), Home(world, "b")).Ready();
        TimeSpan dialled = world.Now;
        SimCall call = pair.A.Dial(SimIdentities.Get(world, 7).Id);
        Assert.True(world.RunUntil(() => call.IsOver, Deadline));
        Assert.Equal(GimletErrorKind.PeerOffline, call.Failure?.Kind);
        Assert.InRange(world.Now - dialled, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_peer_whose_policy_says_no_refuses_and_tells_no_address()
    {
        World world = new(1);
        Pair pair = Pair.Behind(
            world,
            Home(world, "a"),
            Home(world, "b"),
            optionsB: new SimNodeOptions { Policy = PeerPolicy.Only([SimIdentities.Get(world, 9).Id]) }).Ready();
        CallFailed failure = pair.Fail(GimletErrorKind.Refused, Deadline);
        Assert.NotEmpty(failure.Message);
        Assert.Empty(pair.B.Calls);
    }

    [Fact]
    public void A_dial_without_any_server_fails_with_that_reason()
    {
        World world = new(1);
        Pair pair = Pair.Behind(world, Home(world, "a"), Home(world, "b")).Ready();
        pair.Server.Rendezvous.Crash();
        world.RunFor(TimeSpan.FromSeconds(1));
        SimCall call = pair.A.Dial(pair.B.Id);
        Assert.True(world.RunUntil(() => call.IsOver, TimeSpan.FromSeconds(15)));
        Assert.Equal(GimletErrorKind.ServerUnreachable, call.Failure?.Kind);
    }

    [Fact]
    public void A_second_process_with_the_same_key_takes_over_and_the_first_does_not_come_back()
    {
        World world = new(1);
        Pair pair = Pair.Behind(world, Home(world, "a"), Home(world, "b")).Ready();
        SimNode twin = new(world.Internet.AddHost("twin"), SimIdentities.Get(world, 1), new SimNodeOptions(), pair.Server);
        Assert.True(world.RunUntil(() => twin.IsReady, Deadline));
        world.RunFor(TimeSpan.FromMinutes(1));
        Assert.True(twin.IsRegistered);
        Assert.False(pair.B.IsRegistered);
        SimCall call = pair.A.Dial(twin.Id);
        Assert.True(world.RunUntil(() => call.HasPath || call.IsOver, Deadline));
        Assert.Null(call.Failure);
        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Single(twin.Calls);
        Assert.Empty(pair.B.Calls);
    }

    [Fact]
    public void Twenty_nodes_come_back_spread_out_after_a_crash_and_each_is_found()
    {
        World world = new(1);
        SimServer server = new(world);
        List<SimNode> nodes = [];
        for (int i = 0; i < 20; i++)
        {
            Router router = new(world, $"nat {i}", world.Internet, new RouterOptions { Nat = NatBehaviour.PortRestrictedCone });
            nodes.Add(new SimNode(router.Inside.AddHost($"node {i}"), SimIdentities.Get(world, i), new SimNodeOptions(), server));
        }

        Assert.True(world.RunUntil(() => nodes.TrueForAll(static n => n.IsReady), Deadline));
        server.Rendezvous.Crash();
        world.RunFor(TimeSpan.FromSeconds(2));
        server.Rendezvous.Restart();
        Assert.True(world.RunUntil(() => nodes.TrueForAll(static n => n.IsRegistered), TimeSpan.FromSeconds(10)));
        TimeSpan[] back = [.. nodes.Select(static n => n.News.Last(static e => e.News is SessionRegistered).At)];
        Assert.True(back.Distinct().Count() > 15, "the nodes came back in step");
        world.RunFor(TimeSpan.FromSeconds(5));
        SimCall[] calls = [.. nodes.Skip(1).Select(node => nodes[0].Dial(node.Id))];
        Assert.True(world.RunUntil(() => calls.All(static c => c.HasPath), Deadline));
    }

    private static RouterOptions Home(World world, string name)
    {
        SimRandom draw = world.Random($"home {name}");
        return new RouterOptions
        {
            Nat = new NatBehaviour { Filtering = (Dependence)draw.Next(3), Ports = (PortAllocation)draw.Next(3) },
            Wan = new LinkConditions { Latency = TimeSpan.FromMilliseconds(draw.Next(1, 50)), Jitter = TimeSpan.FromMilliseconds(draw.Next(0, 10)) },
        };
    }
}
