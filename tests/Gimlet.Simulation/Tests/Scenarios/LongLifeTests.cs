using Gimlet.Calls;
using Gimlet.Sockets;
using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>What becomes of a connection in time: idleness, losses, rebinds, roaming, ends.</summary>
public sealed class LongLifeTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    /// <summary>TraversalOptions promises to report a loss within 6 s; the round trip comes on top.</summary>
    private static readonly TimeSpan LossNoticed = TimeSpan.FromSeconds(6.5);

    [Fact]
    public void A_connection_stays_on_its_path_for_an_hour_behind_NATs_that_forget_after_thirty_seconds() => Seeds.Run(5, static (seed, trace) =>
    {
        World world = new(seed, trace);
        NatBehaviour forgetful = NatBehaviour.PortRestrictedCone with { Timeout = TimeSpan.FromSeconds(30), Ports = PortAllocation.Random };
        RouterOptions home = new()
        {
            Nat = forgetful,
            Wan = new LinkConditions { Latency = TimeSpan.FromMilliseconds(20), Jitter = TimeSpan.FromMilliseconds(10), Loss = 0.02 },
        };
        Pair pair = Pair.Behind(world, home, home).Ready();
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        TransportAddress before = call.Path.Remote;
        world.RunFor(TimeSpan.FromHours(1));
        Assert.Null(call.LostAt);
        Assert.Equal(before, call.Path.Remote);
        pair.AssertSamePath(call);
    });

    [Fact]
    public void A_peer_that_vanishes_is_noticed_within_seconds_and_the_connection_ends() => Seeds.Run(50, static (seed, trace) =>
    {
        Pair pair = Homes(seed, trace, out World world);
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        pair.B.Kill();
        TimeSpan killed = world.Now;
        Assert.True(world.RunUntil(() => call.LostAt is not null, TimeSpan.FromSeconds(30)));
        Assert.InRange(call.LostAt!.Value - killed, TimeSpan.Zero, LossNoticed);
        Assert.True(world.RunUntil(() => call.IsOver, TimeSpan.FromSeconds(30)));
        Assert.Equal(CallEnd.PathLost, call.End);
    });

    [Fact]
    public void A_black_hole_of_two_seconds_costs_nothing_and_one_of_eight_is_noticed_and_survived() => Seeds.Run(50, static (seed, trace) =>
    {
        Pair pair = Homes(seed, trace, out World world);
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        pair.NatB.Wan.BlackHole();
        world.RunFor(TimeSpan.FromSeconds(2));
        pair.NatB.Wan.Restore();
        world.RunFor(TimeSpan.FromSeconds(10));
        Assert.Null(call.LostAt);
        Assert.Null(pair.Callee(call)!.LostAt);

        pair.NatB.Wan.BlackHole();
        world.RunFor(TimeSpan.FromSeconds(8));
        Assert.NotNull(call.LostAt);
        Assert.NotNull(pair.Callee(call)!.LostAt);
        pair.NatB.Wan.Restore();
        Assert.True(world.RunUntil(() => call.HasPath && pair.Callee(call)!.HasPath, TimeSpan.FromSeconds(5)), "the path was not found again");
        pair.AssertSamePath(call);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_rebind_of_either_side_is_followed_to_the_new_port_or_noticed_by_both(bool callersSide) => Seeds.Run(50, (seed, trace) =>
    {
        Pair pair = Homes(seed, trace, out World world);
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        (callersSide ? pair.NatA : pair.NatB).Rebind((callersSide ? pair.A : pair.B).Host);
        Settles(pair, call, (callersSide ? pair.NatB : pair.NatA).Nat!.Behaviour.Filtering != Dependence.AddressAndPort);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_reboot_of_either_NAT_is_survived_or_noticed_by_both(bool callersSide) => Seeds.Run(50, (seed, trace) =>
    {
        Pair pair = Homes(seed, trace, out World world);
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        Router rebooted = callersSide ? pair.NatA : pair.NatB;
        rebooted.Reboot();
        bool samePort = rebooted.Nat!.Behaviour.Ports == PortAllocation.Preserving;
        Settles(pair, call, samePort || (callersSide ? pair.NatB : pair.NatA).Nat!.Behaviour.Filtering != Dependence.AddressAndPort);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_new_public_address_of_either_side_is_survived_or_noticed_by_both(bool callersSide) => Seeds.Run(50, (seed, trace) =>
    {
        Pair pair = Homes(seed, trace, out World world);
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        _ = (callersSide ? pair.NatA : pair.NatB).ChangePublicAddress();
        Settles(pair, call, (callersSide ? pair.NatB : pair.NatA).Nat!.Behaviour.Filtering == Dependence.Endpoint);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_machine_that_changes_networks_takes_its_connection_along(bool callersSide) => Seeds.Run(50, (seed, trace) =>
    {
        Pair pair = Homes(seed, trace, out World world);
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        Router cellular = new(world, "cellular", world.Internet, new RouterOptions { Lan = "10.0.0.0/8" });
        SimHost mover = (callersSide ? pair.A : pair.B).Host;
        _ = mover.Attach(cellular.Inside);
        mover.Detach(mover.Nics[0]);
        Settles(pair, call, admitted: true);
    });

    [Fact]
    public void A_hangup_is_told_to_the_peer_at_once() => Seeds.Run(20, static (seed, trace) =>
    {
        Pair pair = Homes(seed, trace, out World world);
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        pair.A.Hangup(call);
        Assert.True(world.RunUntil(() => call.IsOver && pair.Callee(call)!.IsOver, TimeSpan.FromSeconds(1)));
        Assert.Equal(CallEnd.Closed, call.End);
        Assert.Equal(CallEnd.ClosedByPeer, pair.Callee(call)!.End);
    });

    private static Pair Homes(ulong seed, SimTrace? trace, out World world)
    {
        world = new World(seed, trace);
        SimRandom draw = world.Random("scenario");
        return Pair.Behind(world, Home(draw), Home(draw)).Ready();

        static RouterOptions Home(SimRandom draw) => new()
        {
            Nat = new NatBehaviour { Filtering = (Dependence)draw.Next(3), Ports = (PortAllocation)draw.Next(3) },
            Wan = new LinkConditions { Latency = TimeSpan.FromMilliseconds(draw.Next(1, 50)) },
        };
    }

    /// <summary>
    /// The side whose address is new still sends to the other's old one. Where the other's filter lets that in, ten seconds later, at the
    /// latest, both sides use the same path again. Where it does not, both know within seconds that the path is lost.
    /// </summary>
    private static void Settles(Pair pair, SimCall call, bool admitted)
    {
        SimCall callee = pair.Callee(call)!;
        TimeSpan changed = pair.World.Now;
        if (!admitted)
        {
            Assert.True(pair.World.RunUntil(() => call.LostAt is not null && callee.LostAt is not null, TimeSpan.FromSeconds(30)));
            Assert.InRange(call.LostAt!.Value - changed, TimeSpan.Zero, LossNoticed);
            Assert.InRange(callee.LostAt!.Value - changed, TimeSpan.Zero, LossNoticed);
            return;
        }

        pair.World.RunFor(TimeSpan.FromSeconds(10));
        Assert.True(call.HasPath && callee.HasPath, $"a: {State(call)}, b: {State(callee)}");
        pair.AssertSamePath(call);
        pair.World.RunFor(TimeSpan.FromSeconds(10));
        pair.AssertSamePath(call);

        static string State(SimCall call) => call.End?.ToString() ?? (call.HasPath ? "has a path" : "has no path");
    }
}
