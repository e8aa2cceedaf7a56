using Gimlet.Stun.Discovery;
using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>Punching across the whole table of NATs, on links of every kind, with the outcome that theory demands.</summary>
public sealed class NatTableTests
{
    private static readonly NatBehaviour[] Kinds = [.. NatTable.All(PortAllocation.Random)];

    /// <summary>Five seconds of punching, and an introduction that took some retransmissions.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    [Fact]
    public void Punching_succeeds_exactly_where_theory_says_that_it_can() => Seeds.Run(1000, static (seed, trace) =>
    {
        World world = new(seed, trace);
        SimRandom draw = world.Random("scenario");
        (NatBehaviour natA, NatBehaviour natB) = Kind(seed, draw);
        SimServer server = new(world, secondAddress: draw.Chance(0.5));
        Pair pair = Pair.Behind(world, Home(natA, draw), Home(natB, draw), server).Ready();
        SimCall call = pair.A.Dial(pair.B.Id);
        if (DirectPath.IsPossible(natA, natB))
        {
            bool connected = world.RunUntil(() => call.IsOver || (call.HasPath && pair.Callee(call) is { HasPath: true }), Deadline);
            Assert.True(connected && !call.IsOver, $"{natA} with {natB}: {call.Failure?.Message ?? "no path in time"}");
            pair.AssertSamePath(call);
        }
        else
        {
            bool over = world.RunUntil(() => call.IsOver && pair.Callee(call) is { IsOver: true }, Deadline);
            Assert.True(over, $"{natA} with {natB}: neither a path nor an end");
            Assert.Equal(GimletErrorKind.PunchFailed, call.Failure?.Kind);
            Assert.Equal(GimletErrorKind.PunchFailed, pair.Callee(call)!.Failure?.Kind);
        }
    });

    [Fact]
    public void A_failed_punch_names_the_NAT_that_is_to_blame() => Seeds.Run(81, static (seed, trace) =>
    {
        World world = new(seed, trace);
        SimRandom draw = world.Random("scenario");
        (NatBehaviour natA, NatBehaviour natB) = Kind(seed, draw);
        if (DirectPath.IsPossible(natA, natB))
        {
            return;
        }

        Pair pair = Pair.Behind(world, new RouterOptions { Nat = natA }, new RouterOptions { Nat = natB }, new SimServer(world, secondAddress: true));
        string message = pair.Ready().Classified().Fail(GimletErrorKind.PunchFailed, Deadline).Message;
        string cause = (natA.Mapping, natB.Mapping) switch
        {
            (not Dependence.Endpoint, not Dependence.Endpoint) => "both NATs map per destination",
            (not Dependence.Endpoint, _) => "this side's NAT maps per destination",
            _ => "the peer's NAT maps per destination",
        };
        Assert.Contains(cause, message, StringComparison.Ordinal);
        Assert.Contains($"left as", message, StringComparison.Ordinal);
    });

    [Fact]
    public void The_node_classifies_every_NAT_as_it_is() => Seeds.Run(27, static (seed, trace) =>
    {
        World world = new(seed, trace);
        NatBehaviour behaviour = Kinds[(int)(seed % 9)] with { Ports = (PortAllocation)(seed / 9 % 3) };
        Pair pair = Pair.Behind(
            world, new RouterOptions { Nat = behaviour }, new RouterOptions { Nat = behaviour }, new SimServer(world, secondAddress: true));
        NatBehavior found = pair.Ready().Classified().A.Core.Nat!;
        Assert.Equal(
            behaviour.Mapping switch
            {
                Dependence.Endpoint => MappingBehavior.EndpointIndependent,
                Dependence.Address => MappingBehavior.AddressDependent,
                _ => MappingBehavior.AddressAndPortDependent,
            },
            found.Mapping);
        Assert.Equal(
            behaviour.Filtering switch
            {
                Dependence.Endpoint => FilteringBehavior.EndpointIndependent,
                Dependence.Address => FilteringBehavior.AddressDependent,
                _ => FilteringBehavior.AddressAndPortDependent,
            },
            found.Filtering);
    });

    [Fact]
    public void With_ten_percent_loss_on_both_sides_every_punch_that_can_succeed_does() => Seeds.Run(300, static (seed, trace) =>
    {
        World world = new(seed, trace);
        SimRandom draw = world.Random("scenario");
        NatBehaviour[] cones = [NatBehaviour.FullCone, NatBehaviour.RestrictedCone, NatBehaviour.PortRestrictedCone];
        LinkConditions bad = new() { Latency = TimeSpan.FromMilliseconds(10), Loss = 0.1 };
        Pair pair = Pair.Behind(
            world,
            new RouterOptions { Nat = Vary(cones[draw.Next(3)], draw), Wan = bad },
            new RouterOptions { Nat = Vary(cones[draw.Next(3)], draw), Wan = bad }).Ready();
        pair.AssertSamePath(pair.Connect(Deadline));
    });

    [Fact]
    public void A_seed_tells_the_same_story_every_time_with_real_nodes_and_their_keys()
    {
        Assert.Equal(Story(7), Story(7));
        Assert.NotEqual(Story(7), Story(8));

        static string Story(ulong seed)
        {
            using StringWriter text = new();
            World world = new(seed, new SimTrace(text) { Describe = StunWords.Describe });
            SimRandom draw = world.Random("scenario");
            Pair pair = Pair.Behind(world, Home(Vary(NatBehaviour.RestrictedCone, draw), draw), Home(Vary(NatBehaviour.Symmetric, draw), draw)).Ready();
            pair.AssertSamePath(pair.Connect(Deadline));
            world.RunFor(TimeSpan.FromMinutes(1));
            return text.ToString();
        }
    }

    /// <summary>The pair of kinds follows from the seed in turn, so that all 81 are among any 81 seeds in a row; the rest is drawn.</summary>
    private static (NatBehaviour A, NatBehaviour B) Kind(ulong seed, SimRandom draw) =>
        (Vary(Kinds[(int)(seed % 9)], draw), Vary(Kinds[(int)(seed / 9 % 9)], draw));

    private static NatBehaviour Vary(NatBehaviour kind, SimRandom draw) => kind with
    {
        Ports = (PortAllocation)draw.Next(3),
        PortStep = draw.Next(1, 3),
        Hairpin = (Hairpin)draw.Next(3),
        InboundRefresh = draw.Chance(0.5),
        RejectsUnsolicited = draw.Chance(0.3),
    };

    /// <summary>A home whose line has 1 to 150 ms round trip to the middle of the internet, and up to 10 % loss there and back.</summary>
    private static RouterOptions Home(NatBehaviour nat, SimRandom draw) => new()
    {
        Nat = nat,
        Wan = new LinkConditions
        {
            Latency = TimeSpan.FromMilliseconds(draw.Next(1, 150) / 2.0),
            Jitter = TimeSpan.FromMilliseconds(draw.Next(0, 20)),
            Loss = draw.NextDouble() * 0.05,
            Duplication = draw.NextDouble() * 0.05,
            Reordering = draw.NextDouble() * 0.1,
        },
    };
}
