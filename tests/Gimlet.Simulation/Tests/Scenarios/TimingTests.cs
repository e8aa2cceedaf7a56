using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>How long a dial takes, counted in round trips of virtual time: what a fixed wait anywhere would break.</summary>
public sealed class TimingTests
{
    /// <summary>A quarter of the round trip between any two of the three machines.</summary>
    private static readonly LinkConditions Quarter = new() { Latency = TimeSpan.FromMilliseconds(10) };
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(40);

    /// <summary>Wires in the house, and the pacing of checks.</summary>
    private static readonly TimeSpan Allowance = TimeSpan.FromMilliseconds(20);

    public static TheoryData<int, int, bool> Cones
    {
        get
        {
            TheoryData<int, int, bool> rows = [];
            for (int a = 0; a < 4; a++)
            {
                for (int b = 0; b < 4; b++)
                {
                    rows.Add(a, b, false);
                    rows.Add(a, b, true);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cones))]
    public void A_direct_path_takes_two_round_trips_to_an_open_callee_and_three_to_one_that_decides(int kindA, int kindB, bool onAccept) =>
        Seeds.Run(20, (seed, trace) =>
        {
            World world = new(seed, trace);
            SimServer server = new(world);
            server.Host.Link.SetConditions(Quarter);
            Pair pair = new Pair(
                world, server, Host(world, "a", kindA), Host(world, "b", kindB), null, new SimNodeOptions { OnAccept = onAccept }).Ready();
            TimeSpan dialled = world.Now;
            SimCall call = pair.Connect(TimeSpan.FromSeconds(5));
            Assert.InRange(call.ConnectedAt!.Value - dialled, TimeSpan.Zero, (RoundTrip * (onAccept ? 3 : 2)) + Allowance);
        });

    [Fact]
    public void After_two_idle_minutes_behind_a_NAT_that_forgets_after_thirty_seconds_a_dial_is_as_fast_as_at_once() => Seeds.Run(50, static (seed, trace) =>
    {
        World world = new(seed, trace);
        Pair pair = Forgetful(world, new TraversalOptions()).Ready();
        world.RunFor(TimeSpan.FromSeconds(120));
        TimeSpan dialled = world.Now;
        SimCall call = pair.Connect(TimeSpan.FromSeconds(5));
        Assert.InRange(call.ConnectedAt!.Value - dialled, TimeSpan.Zero, (RoundTrip * 2) + Allowance);
        pair.AssertSamePath(call);
    });

    [Fact]
    public void Without_the_refresh_of_idle_mappings_the_same_dial_fails() => Seeds.Run(10, static (seed, trace) =>
    {
        World world = new(seed, trace);
        TraversalOptions never = new() { MappingRefreshMin = TimeSpan.FromHours(1), MappingRefreshMax = TimeSpan.FromHours(1) };
        Pair pair = Forgetful(world, never).Ready();
        world.RunFor(TimeSpan.FromSeconds(120));
        _ = pair.Fail(GimletErrorKind.PunchFailed, TimeSpan.FromSeconds(10));
    });

    private static Pair Forgetful(World world, TraversalOptions traversal)
    {
        SimServer server = new(world);
        server.Host.Link.SetConditions(Quarter);
        NatBehaviour forgetful = NatBehaviour.PortRestrictedCone with { Timeout = TimeSpan.FromSeconds(30), Ports = PortAllocation.Random };
        RouterOptions home = new() { Nat = forgetful, Wan = Quarter };
        SimNodeOptions options = new() { Traversal = traversal };
        return Pair.Behind(world, home, home, server, options, options);
    }

    private static SimHost Host(World world, string name, int kind)
    {
        if (kind == 0)
        {
            SimHost host = world.Internet.AddHost(name, IpVersions.V4);
            host.Link.SetConditions(Quarter);
            return host;
        }

        NatBehaviour[] cones = [NatBehaviour.FullCone, NatBehaviour.RestrictedCone, NatBehaviour.PortRestrictedCone];
        return new Router(world, name + " nat", world.Internet, new RouterOptions { Nat = cones[kind - 1], Wan = Quarter }).Inside.AddHost(name);
    }
}
