using Gimlet.Serverless;
using Gimlet.Sockets;
using Gimlet.Stun.Client;
using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>Two people who read their addresses to each other and start within seconds, without a rendezvous.</summary>
public sealed class ServerlessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public void Two_cones_meet_however_many_seconds_apart_the_two_people_start() => Seeds.Run(200, static (seed, trace) =>
    {
        World world = new(seed, trace);
        SimRandom draw = world.Random("scenario");
        NatBehaviour a = new() { Filtering = (Dependence)draw.Next(3), Ports = (PortAllocation)draw.Next(3) };
        NatBehaviour b = new() { Filtering = (Dependence)draw.Next(3), Ports = (PortAllocation)draw.Next(3) };
        (Pair pair, SimCall mine, SimCall theirs) = Start(world, a, b, draw.Next(TimeSpan.Zero, TimeSpan.FromSeconds(8)), namesIds: true);
        Assert.True(world.RunUntil(() => mine.HasPath && theirs.HasPath, Patience), $"{a} with {b}: {mine.Failure?.Message} {theirs.Failure?.Message}");
        pair.AssertSamePath(mine, theirs);
    });

    [Fact]
    public void A_symmetric_NAT_meets_one_that_does_not_look_at_ports() => Seeds.Run(50, static (seed, trace) =>
    {
        World world = new(seed, trace);
        SimRandom draw = world.Random("scenario");
        NatBehaviour easy = new() { Filtering = (Dependence)draw.Next(2), Ports = (PortAllocation)draw.Next(3) };
        (NatBehaviour a, NatBehaviour b) = seed % 2 == 0 ? (NatBehaviour.Symmetric, easy) : (easy, NatBehaviour.Symmetric);
        (Pair pair, SimCall mine, SimCall theirs) = Start(world, a, b, draw.Next(TimeSpan.Zero, TimeSpan.FromSeconds(5)), namesIds: true);
        Assert.True(world.RunUntil(() => mine.HasPath && theirs.HasPath, Patience));
        pair.AssertSamePath(mine, theirs);
    });

    [Fact]
    public void Without_ids_the_address_is_believed()
    {
        World world = new(1);
        (Pair pair, SimCall mine, SimCall theirs) = Start(world, NatBehaviour.PortRestrictedCone, NatBehaviour.FullCone, TimeSpan.Zero, namesIds: false);
        Assert.True(world.RunUntil(() => mine.HasPath && theirs.HasPath, Patience));
        pair.AssertSamePath(mine, theirs);
    }

    [Fact]
    public void A_wrong_id_is_not_reachable_however_well_the_address_answers()
    {
        World world = new(1);
        Pair pair = Nodes(world, NatBehaviour.FullCone, NatBehaviour.FullCone);
        SimCall call = pair.A.DialServerless(pair.B.Core.Public.Address, SimIdentities.Get(world, 9).Id, Timers(isInitiator: true));
        SimCall other = pair.B.DialServerless(pair.A.Core.Public.Address, pair.A.Id, Timers(isInitiator: false));
        Assert.True(world.RunUntil(() => call.IsOver, TimeSpan.FromSeconds(15)));
        Assert.Equal(GimletErrorKind.PeerNotReachable, call.Failure?.Kind);
        Assert.Null(other.ConnectedAt);
    }

    private static (Pair Pair, SimCall Mine, SimCall Theirs) Start(World world, NatBehaviour a, NatBehaviour b, TimeSpan apart, bool namesIds)
    {
        Pair pair = Nodes(world, a, b);
        SimCall mine = pair.A.DialServerless(pair.B.Core.Public.Address, namesIds ? pair.B.Id : default, Timers(isInitiator: true));
        world.RunFor(apart);
        SimCall theirs = pair.B.DialServerless(pair.A.Core.Public.Address, namesIds ? pair.A.Id : default, Timers(isInitiator: false));
        return (pair, mine, theirs);
    }

    /// <summary>Two nodes that know no rendezvous but have asked a STUN server.</summary>
    private static Pair Nodes(World world, NatBehaviour a, NatBehaviour b)
    {
        Pair pair = Pair.Behind(world, new RouterOptions { Nat = a }, new RouterOptions { Nat = b }, hasRendezvous: false);
        StunTarget[] stun = [new StunTarget(pair.Server.Host.Address(SimStunServer.Port)), new StunTarget(pair.Server.Host.Address(SimStunServer.AlternatePort))];
        pair.A.Feed((core, now) => core.AddStunTargets(stun, now));
        pair.B.Feed((core, now) => core.AddStunTargets(stun, now));
        Assert.True(world.RunUntil(() => pair.A.Core.IsGatheringComplete && pair.B.Core.IsGatheringComplete, Patience));
        Assert.NotEqual(default, pair.A.Core.Public.Address);
        return pair;
    }

    private static ServerlessTimers Timers(bool isInitiator)
    {
        TraversalOptions defaults = new();
        return new ServerlessTimers(defaults.ServerlessInterval, defaults.ServerlessTimeout, isInitiator);
    }
}
