using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>One connection with a running transfer, and one thing that happens to it.</summary>
public sealed class ConnectionStoryTests
{
    // 200 KB each way, 1 KB every 20 ms: four seconds of transfer, whose every gap is seen.
    private const int Bytes = 200_000;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    /// <summary>Issue 4: "the transfer moves again within 1.5 s".</summary>
    private static readonly TimeSpan MovesAgain = TimeSpan.FromSeconds(1.5);

    /// <summary>Issue 4: "no stall above 200 ms".</summary>
    private static readonly TimeSpan NoStall = TimeSpan.FromMilliseconds(200);

    [Fact]
    public void A_transfer_begins_on_the_relay_and_goes_on_directly_without_a_pause() => Seeds.Run(10, static (seed, trace) =>
    {
        Couple couple = Begin(seed, trace);
        Assert.All(couple.Sides, static s => Assert.True(s.Connections.Paths.RelaySent > 0));
        couple.Await(direct: true, TimeSpan.FromSeconds(2));
        couple.Deliver(Soon);
        AssertNoGapAbove(couple, NoStall);
        couple.AssertSamePath();
        couple.CloseAndAssertNothingIsLeft(couple.A);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_black_hole_on_the_direct_path_moves_the_transfer_to_the_relay_and_its_end_moves_it_back(int hurt) => Seeds.Run(10, (seed, trace) =>
    {
        Couple couple = Direct(seed, trace);
        LeaveDirectPathAndComeBack(couple, couple.Sides[hurt], up: true, down: true);
    });

    [Theory]
    [InlineData(0, true)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(1, false)]
    public void A_direct_path_that_is_dead_in_one_direction_is_left_by_both(int hurt, bool up) => Seeds.Run(10, (seed, trace) =>
    {
        Couple couple = Direct(seed, trace);
        LeaveDirectPathAndComeBack(couple, couple.Sides[hurt], up, down: !up);
    });

    [Fact]
    public void A_path_that_lets_checks_through_and_no_data_does_not_hold_the_transfer_up() => Seeds.Run(10, static (seed, trace) =>
    {
        Couple couple = Direct(seed, trace);
        Link link = couple.A.Link;
        couple.SwallowLarge(couple.A);
        couple.World.RunFor(TimeSpan.FromSeconds(20));
        couple.Deliver(TimeSpan.FromSeconds(1));
        Couple.Mend(link);
        couple.SettleAnywhere(TimeSpan.FromMinutes(2));
        couple.CloseAndAssertNothingIsLeft(couple.A);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_NAT_that_reboots_costs_a_moment(int hurt) => Seeds.Run(10, (seed, trace) =>
    {
        Couple couple = Direct(seed, trace);
        Couple.RebootNat(couple.Sides[hurt]);

        // A WebSocket that a NAT forgot is opened again after up to a second, and the old direct path needs the new port to be told.
        GoOn(couple, TimeSpan.FromSeconds(4), MovesAgain + TimeSpan.FromSeconds(0.5), directWithin: TimeSpan.FromSeconds(40));
    });

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    public void A_machine_that_changes_its_network_takes_the_transfer_along(int mover, bool overlaps) => Seeds.Run(10, (seed, trace) =>
    {
        Couple couple = Direct(seed, trace);
        couple.SwitchNetwork(couple.Sides[mover], new RouterOptions { Lan = "10.0.0.0/8" }, overlaps ? TimeSpan.FromSeconds(1) : TimeSpan.Zero);
        GoOn(couple, TimeSpan.FromSeconds(4), MovesAgain, directWithin: TimeSpan.FromSeconds(10));
    });

    [Fact]
    public void A_relay_that_restarts_is_not_noticed_while_the_direct_path_is_up() => Seeds.Run(10, static (seed, trace) =>
    {
        Couple couple = Direct(seed, trace);
        couple.CrashServer();
        couple.World.RunFor(TimeSpan.FromSeconds(1));
        couple.RestartServer();
        couple.Deliver(Soon);
        Assert.All(couple.Sides, static s => Assert.True(s.Connection.IsDirect));
        AssertNoGapAbove(couple, NoStall);
        Assert.True(couple.World.RunUntil(() => couple.Sides.All(static s => s.Node.IsRegistered), TimeSpan.FromSeconds(30)), "not registered again");
        Finish(couple);
    });

    [Fact]
    public void A_relay_that_restarts_carries_on_with_the_transfers_it_carried() => Seeds.Run(10, static (seed, trace) =>
    {
        Couple couple = Hopeless(seed, trace);
        couple.CrashServer();
        couple.World.RunFor(TimeSpan.FromSeconds(1));
        couple.RestartServer();
        couple.Deliver(TimeSpan.FromSeconds(20));
        Assert.All(couple.Sides, static s => Assert.False(s.Connection.IsDirect));
        Finish(couple);
    });

    [Fact]
    public void A_server_that_is_away_for_a_minute_does_not_touch_the_direct_path() => Seeds.Run(10, static (seed, trace) =>
    {
        Couple couple = Direct(seed, trace);
        couple.CrashServer();
        couple.World.RunFor(TimeSpan.FromSeconds(60));
        Assert.All(couple.Sides, static s => Assert.True(s.Connection.IsDirect));
        couple.Deliver(TimeSpan.FromSeconds(1));
        AssertNoGapAbove(couple, NoStall);
        couple.RestartServer();
        couple.World.RunFor(TimeSpan.FromSeconds(20));
        Finish(couple);
    });

    [Fact]
    public void A_server_that_is_away_while_a_NAT_gives_other_ports_is_not_needed_where_the_peers_filter_lets_them_in() => Seeds.Run(10, static (seed, trace) =>
    {
        RouterOptions open = Home(NatBehaviour.FullCone with { Ports = PortAllocation.Random });
        Couple couple = Direct(seed, trace, open, open);
        couple.CrashServer();
        couple.World.RunFor(TimeSpan.FromSeconds(1));
        Couple.Rebind(couple.A);
        couple.Deliver(Soon);
        AssertNoGapAbove(couple, MovesAgain);
        couple.RestartServer();
        couple.World.RunFor(TimeSpan.FromSeconds(20));
        Finish(couple);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void An_outage_of_five_seconds_is_over_when_it_is_over(int hurt) => Seeds.Run(10, (seed, trace) =>
    {
        Couple couple = Direct(seed, trace);
        Link link = couple.Sides[hurt].Link;
        Couple.BlackHoleAll(couple.Sides[hurt]);
        couple.World.RunFor(TimeSpan.FromSeconds(5));
        Couple.Mend(link);
        GoOn(couple, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(5) + MovesAgain, directWithin: TimeSpan.FromSeconds(40));
    });

    [Fact]
    public void Two_that_dial_each_other_at_once_have_one_connection() => Seeds.Run(30, static (seed, trace) =>
    {
        Couple couple = Plan(seed, trace, Home(NatBehaviour.PortRestrictedCone), Home(NatBehaviour.PortRestrictedCone)).Ready();
        SimRandom draw = couple.World.Random("story");
        SimDial first = couple.Dial(couple.Sides[draw.Next(2)]);
        couple.World.RunFor(draw.Next(TimeSpan.Zero, TimeSpan.FromMilliseconds(100)));
        Side second = first.Peer == couple.A.Node.Id ? couple.A : couple.B;
        if (second.Traffic.Connection is not null)
        {
            // It has been called and has what it would have dialled for.
            return;
        }

        SimDial other = couple.Dial(second);
        bool over = couple.World.RunUntil(() => first.IsOver && other.IsOver, Soon);
        Assert.True(over, $"the dials did not end: {couple.Describe()}");
        Assert.Null(first.Failure);
        Assert.Null(other.Failure);
        couple.Deliver(Soon);
        Assert.All(couple.Sides, static s => Assert.Equal(1, s.Traffic.OpenedCount));
        Assert.All(couple.Sides, static s => Assert.Single(s.Connections.All));
        Assert.Equal(couple.A.Connection.Quic.Core.OriginalDestination, couple.B.Connection.Quic.Core.OriginalDestination);
        couple.Await(direct: true, TimeSpan.FromSeconds(2));
        Finish(couple);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_peer_that_restarts_dials_at_once_or_is_dialled_when_the_old_connection_is_reset(bool restartedDials) => Seeds.Run(10, (seed, trace) =>
    {
        Couple couple = Direct(seed, trace);
        SimConnection old = couple.A.Connection;
        Traffic traffic = couple.A.Traffic;
        couple.RestartPeer(couple.B);

        // The surviving process gets the new connection beside the old one.
        couple.Plan(Flow(0, 0), Flow(1, 1));
        Assert.True(couple.World.RunUntil(() => couple.B.Node.IsRegistered, Soon), "the new process did not register");
        if (!restartedDials)
        {
            Assert.True(couple.World.RunUntil(() => traffic.End is not null, TimeSpan.FromSeconds(2)), "the new process did not reset the old connection");
        }

        couple.Connect(restartedDials ? couple.B : couple.A, TimeSpan.FromSeconds(5));
        Assert.NotSame(old, couple.A.Connection);
        Assert.NotSame(traffic, couple.A.Traffic);
        couple.Deliver(Soon);
        Assert.True(couple.World.RunUntil(() => traffic.End is not null, TimeSpan.FromSeconds(1)), "the old connection did not end");
        Assert.All(couple.Sides, static s => Assert.Single(s.Connections.All));
        couple.Await(direct: true, TimeSpan.FromSeconds(40));
        Finish(couple);
    });

    [Fact]
    public void A_peer_that_vanishes_is_given_up_after_the_idle_timeout_and_nothing_is_left() => Seeds.Run(5, static (seed, trace) =>
    {
        Couple couple = Direct(seed, trace);
        couple.B.Node.Kill();
        Assert.True(couple.World.RunUntil(() => couple.A.Traffic.End is not null, TimeSpan.FromSeconds(45)), $"not given up: {couple.Describe()}");
        couple.World.RunFor(TimeSpan.FromSeconds(45));
        Assert.Equal(0, couple.A.Connections.QuicCount);
        Assert.Equal(0, couple.A.Connections.Peers.Count);
        Assert.Equal(0, couple.A.Node.Core.CallCount);
    });

    [Fact]
    public void A_seed_tells_the_same_life_every_time_although_the_keys_of_TLS_are_others()
    {
        Assert.Equal(Story(7), Story(7));
        Assert.NotEqual(Story(7), Story(8));

        static string Story(ulong seed)
        {
            using StringWriter text = new();
            Couple couple = Direct(seed, new SimTrace(text));
            Couple.RebootNat(couple.A);
            couple.Deliver(Soon);
            return text.ToString();
        }
    }

    private static RouterOptions Home(NatBehaviour nat) => new()
    {
        Nat = nat,
        Wan = new LinkConditions { Latency = TimeSpan.FromMilliseconds(10), Jitter = TimeSpan.FromMilliseconds(2) },
    };

    private static Flow Flow(int number, int sender) => new(number, sender, Bytes, chunk: 1000, Interval);

    private static Couple Plan(ulong seed, SimTrace? trace, RouterOptions natA, RouterOptions natB)
    {
        World world = new(seed, trace);
        Couple couple = Couple.Behind(world, natA, natB);
        couple.Plan(Flow(0, 0), Flow(1, 1));
        return couple;
    }

    /// <summary>A transfer that has just begun, behind NATs that can be punched.</summary>
    private static Couple Begin(ulong seed, SimTrace? trace, RouterOptions? natA = null, RouterOptions? natB = null)
    {
        World world = new(seed, trace);
        SimRandom draw = world.Random("story");
        NatBehaviour cone = NatBehaviour.PortRestrictedCone with { Filtering = (Dependence)draw.Next(3), Ports = (PortAllocation)draw.Next(3) };
        Couple couple = Couple.Behind(world, natA ?? Home(cone), natB ?? Home(cone));
        couple.Plan(Flow(0, 0), Flow(1, 1));
        couple.Ready();
        couple.Connect(couple.Sides[draw.Next(2)], TimeSpan.FromSeconds(2));
        return couple;
    }

    /// <summary>A transfer that goes directly.</summary>
    private static Couple Direct(ulong seed, SimTrace? trace, RouterOptions? natA = null, RouterOptions? natB = null)
    {
        Couple couple = Begin(seed, trace, natA, natB);
        couple.Await(direct: true, TimeSpan.FromSeconds(2));
        couple.World.RunFor(TimeSpan.FromMilliseconds(500));
        foreach (Flow flow in couple.Flows)
        {
            flow.ForgetGap();
        }

        return couple;
    }

    /// <summary>A transfer between NATs that no punch gets through.</summary>
    private static Couple Hopeless(ulong seed, SimTrace? trace)
    {
        Couple couple = Begin(seed, trace, Home(NatBehaviour.Symmetric), Home(NatBehaviour.Symmetric));
        couple.World.RunFor(TimeSpan.FromSeconds(1));
        return couple;
    }

    /// <summary>The direct path swallows the QUIC of one side for a while: the transfer goes on over the relay, and comes back.</summary>
    private static void LeaveDirectPathAndComeBack(Couple couple, Side hurt, bool up, bool down)
    {
        Link link = hurt.Link;
        couple.BlackHole(hurt, up, down);
        couple.Await(direct: false, TimeSpan.FromSeconds(3));
        couple.World.RunFor(TimeSpan.FromSeconds(1));
        AssertNoGapAbove(couple, MovesAgain);
        Couple.Mend(link);
        couple.Await(direct: true, TimeSpan.FromSeconds(12));
        Finish(couple);
    }

    /// <summary>After what happened the transfer goes on, with no gap above the limit, and is direct again by and by.</summary>
    private static void GoOn(Couple couple, TimeSpan span, TimeSpan gapLimit, TimeSpan directWithin)
    {
        couple.World.RunFor(span);
        AssertNoGapAbove(couple, gapLimit);
        couple.Await(direct: true, directWithin);
        Finish(couple);
    }

    private static void AssertNoGapAbove(Couple couple, TimeSpan limit)
    {
        foreach (Flow flow in couple.Flows)
        {
            Assert.True(flow.LongestGap <= limit, $"nothing came for {flow.LongestGap.TotalMilliseconds} ms until {flow.LongestGapAt.TotalSeconds} s: {couple.Describe()}");
        }
    }

    private static void Finish(Couple couple)
    {
        couple.Deliver(TimeSpan.FromSeconds(30));
        couple.Settle(couple.IsDirectPossible(), TimeSpan.FromSeconds(70));
        couple.CloseAndAssertNothingIsLeft(couple.World.Seed % 2 == 0 ? couple.A : couple.B);
    }
}
