using Gimlet.Candidates;
using Gimlet.Sockets;
using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>Where two nodes may sit besides behind one NAT each.</summary>
public sealed class TopologyTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(Hairpin.None)]
    [InlineData(Hairpin.ExternalSource)]
    [InlineData(Hairpin.InternalSource)]
    public void Two_nodes_in_one_LAN_meet_there_and_not_at_their_router(Hairpin hairpin) => Seeds.Run(20, (seed, trace) =>
    {
        World world = new(seed, trace);
        SimServer server = new(world);
        Router router = new(world, "nat", world.Internet, new RouterOptions { Nat = Varied(world) with { Hairpin = hairpin } });
        Pair pair = new Pair(world, server, router.Inside.AddHost("a"), router.Inside.AddHost("b")).Ready();
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        Assert.True(call.Path.Remote.SameAddress(pair.B.Host.Address(1)), $"the path goes to {call.Path.Remote}");

        // Nothing but the LAN carries it.
        router.Wan.BlockUdp();
        pair.AssertSamePath(call);
    });

    [Theory]
    [InlineData(Hairpin.None, false)]
    [InlineData(Hairpin.ExternalSource, true)]
    public void Two_homes_behind_one_carrier_have_a_direct_path_where_the_carrier_hairpins(Hairpin hairpin, bool possible) => Seeds.Run(20, (seed, trace) =>
    {
        World world = new(seed, trace);
        Pair pair = TwoHomes(world, hairpin).Ready().Classified();
        if (possible)
        {
            pair.AssertSamePath(pair.Connect(Deadline));
        }
        else
        {
            Assert.Equal(GimletErrorKind.PunchFailed, pair.Fail(GimletErrorKind.PunchFailed, Deadline).Kind);
        }
    });

    [Fact]
    public void A_home_behind_a_carrier_meets_one_that_is_not() => Seeds.Run(50, static (seed, trace) =>
    {
        World world = new(seed, trace);
        SimServer server = new(world);
        Router carrier = new(world, "carrier", world.Internet, new RouterOptions { Nat = Varied(world), Lan = "100.64.0.0/10" });
        Router homeA = new(world, "home a", carrier.Inside, new RouterOptions { Nat = NatBehaviour.PortRestrictedCone });
        Router homeB = new(world, "home b", world.Internet, new RouterOptions { Nat = NatBehaviour.PortRestrictedCone });
        Pair pair = new Pair(world, server, homeA.Inside.AddHost("a"), homeB.Inside.AddHost("b")).Ready();
        pair.AssertSamePath(pair.Connect(Deadline));
    });

    [Fact]
    public void One_node_on_the_street_and_one_behind_a_symmetric_NAT_meet_both_ways_round() => Seeds.Run(50, static (seed, trace) =>
    {
        World world = new(seed, trace);
        SimServer server = new(world);
        Router router = new(world, "nat", world.Internet, new RouterOptions { Nat = NatBehaviour.Symmetric });
        SimHost inside = router.Inside.AddHost("inside");
        SimHost street = world.Internet.AddHost("street", IpVersions.V4);
        bool swap = seed % 2 == 0;
        Pair pair = new Pair(world, server, swap ? street : inside, swap ? inside : street).Ready();
        pair.AssertSamePath(pair.Connect(Deadline));
    });

    [Theory]
    [InlineData(Dependence.Endpoint)]
    [InlineData(Dependence.Address)]
    [InlineData(Dependence.AddressAndPort)]
    public void Two_nodes_with_IPv6_alone_meet_through_their_firewalls(Dependence filtering) => Seeds.Run(20, (seed, trace) =>
    {
        World world = new(seed, trace);
        SimServer server = new(world);
        RouterOptions home = new() { Versions = IpVersions.V6, Firewall = new FirewallBehaviour { Filtering = filtering } };
        Pair pair = Pair.Behind(world, home, home, server).Ready();
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        Assert.Equal(pair.B.Host.Address(call.Path.Remote.Port, ipv4: false), call.Path.Remote);
    });

    [Fact]
    public void Where_IPv4_cannot_be_punched_IPv6_is_found() => Seeds.Run(50, static (seed, trace) =>
    {
        World world = new(seed, trace);
        RouterOptions home = new() { Nat = NatBehaviour.Symmetric, Versions = IpVersions.Both };
        Pair pair = Pair.Behind(world, home, home).Ready();
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        Assert.True(call.Path.Remote.IsIPv6);
    });

    [Fact]
    public void Where_one_side_has_no_IPv6_the_path_is_IPv4() => Seeds.Run(50, static (seed, trace) =>
    {
        World world = new(seed, trace);
        Pair pair = Pair.Behind(
            world,
            new RouterOptions { Nat = Varied(world), Versions = IpVersions.Both },
            new RouterOptions { Nat = NatBehaviour.PortRestrictedCone, Versions = IpVersions.V4 }).Ready();
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        Assert.True(call.Path.Remote.IsIPv4);
    });

    [Fact]
    public void A_node_with_IPv4_alone_and_one_with_IPv6_alone_fail_with_a_reason()
    {
        World world = new(1);
        Pair pair = Pair.Behind(
            world, new RouterOptions { Versions = IpVersions.V4 }, new RouterOptions { Versions = IpVersions.V6 }).Ready();
        _ = pair.Fail(GimletErrorKind.PunchFailed, Deadline);
    }

    [Fact]
    public void A_node_whose_UDP_is_blocked_says_so()
    {
        World world = new(1);
        Pair pair = Pair.Behind(world, new RouterOptions(), new RouterOptions());
        pair.NatA.Wan.BlockUdp();
        string message = pair.Ready().Classified().Fail(GimletErrorKind.PunchFailed, Deadline).Message;
        Assert.Contains("UDP is blocked on this side", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_private_addresses_of_two_homes_are_the_same_and_lead_nobody_astray() => Seeds.Run(50, static (seed, trace) =>
    {
        World world = new(seed, trace);
        Pair pair = Pair.Behind(world, new RouterOptions { Nat = Varied(world) }, new RouterOptions()).Ready();

        // Somebody else in A's LAN sits where B's host candidate points, on every port.
        Assert.Equal(pair.A.Host.Address(1), pair.B.Host.Address(1));
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        Assert.Equal(CandidateKind.ServerReflexive, call.Path.Kind);
        Assert.True(pair.NatB.Nat!.IsPublic(call.Path.Remote));
    });

    private static Pair TwoHomes(World world, Hairpin hairpin)
    {
        SimServer server = new(world, secondAddress: true);
        Router carrier = new(world, "carrier", world.Internet, new RouterOptions
        {
            Nat = Varied(world) with { Hairpin = hairpin },
            Lan = "100.64.0.0/10",
        });
        Router homeA = new(world, "home a", carrier.Inside, new RouterOptions { Nat = NatBehaviour.PortRestrictedCone });
        Router homeB = new(world, "home b", carrier.Inside, new RouterOptions { Nat = NatBehaviour.PortRestrictedCone });
        return new Pair(world, server, homeA.Inside.AddHost("a"), homeB.Inside.AddHost("b"));
    }

    /// <summary>An endpoint-independent NAT with everything else drawn.</summary>
    private static NatBehaviour Varied(World world)
    {
        SimRandom draw = world.Random("varied");
        return new NatBehaviour
        {
            Filtering = (Dependence)draw.Next(3),
            Ports = (PortAllocation)draw.Next(3),
            InboundRefresh = draw.Chance(0.5),
        };
    }
}
