using Xunit;

namespace Gimlet.Simulation.Tests;

public sealed class DirectPathTests
{
    public static TheoryData<PortAllocation, PortAllocation> Allocations
    {
        get
        {
            TheoryData<PortAllocation, PortAllocation> rows = [];
            foreach (PortAllocation a in Enum.GetValues<PortAllocation>())
            {
                foreach (PortAllocation b in Enum.GetValues<PortAllocation>())
                {
                    rows.Add(a, b);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Allocations))]
    public void What_theory_says_of_a_pair_of_NATs_is_what_flooding_finds(PortAllocation portsA, PortAllocation portsB)
    {
        ulong seed = 0;
        foreach (NatBehaviour a in NatTable.All(portsA))
        {
            foreach (NatBehaviour b in NatTable.All(portsB))
            {
                Assert.True(DirectPath.IsPossible(a, b) == Flood(++seed, a, b), $"{a} with {b}");
            }
        }
    }

    [Fact]
    public void Theory_does_not_care_who_is_called_a() => Assert.All(
        NatTable.All(PortAllocation.Random),
        static a => Assert.All(NatTable.All(PortAllocation.Random), b => Assert.Equal(DirectPath.IsPossible(a, b), DirectPath.IsPossible(b, a))));

    private static bool Flood(ulong seed, NatBehaviour behaviourA, NatBehaviour behaviourB)
    {
        World world = new(seed);
        SimHost server = world.Internet.AddHost("server");
        FloodAgent.Serve(server.Bind(3478));
        FloodAgent a = Agent("a", behaviourA);
        FloodAgent b = Agent("b", behaviourB);
        world.RunFor(TimeSpan.FromSeconds(1));
        a.Learn(b.Reflexive);
        b.Learn(a.Reflexive);
        for (int round = 0; round < 20; round++)
        {
            a.SendToAll();
            b.SendToAll();
            world.RunFor(TimeSpan.FromMilliseconds(100));
        }

        // A path that answers from where it was asked works in both directions: if one side has one, so has the other.
        Assert.Equal(a.Reached.IsEmpty, b.Reached.IsEmpty);
        return !a.Reached.IsEmpty;

        FloodAgent Agent(string name, NatBehaviour behaviour)
        {
            Router router = new(world, name + " nat", world.Internet, new RouterOptions { Nat = behaviour });
            FloodAgent agent = new(router.Inside.AddHost(name).Bind());
            agent.AskServer(server.Address(3478));
            return agent;
        }
    }
}
