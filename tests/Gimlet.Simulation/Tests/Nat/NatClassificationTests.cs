using Xunit;

namespace Gimlet.Simulation.Tests;

public sealed class NatClassificationTests
{
    public static TheoryData<Dependence, Dependence, PortAllocation> Combinations
    {
        get
        {
            TheoryData<Dependence, Dependence, PortAllocation> rows = [];
            foreach (Dependence mapping in Enum.GetValues<Dependence>())
            {
                foreach (Dependence filtering in Enum.GetValues<Dependence>())
                {
                    foreach (PortAllocation ports in Enum.GetValues<PortAllocation>())
                    {
                        rows.Add(mapping, filtering, ports);
                    }
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void A_probe_from_inside_finds_the_behaviour_that_the_NAT_was_given(Dependence mapping, Dependence filtering, PortAllocation ports)
    {
        foreach (Hairpin hairpin in Enum.GetValues<Hairpin>())
        {
            NatBehaviour behaviour = new() { Mapping = mapping, Filtering = filtering, Ports = ports, Hairpin = hairpin };
            World world = new(seed: 1);
            Router router = new(world, "nat", world.Internet, new RouterOptions { Nat = behaviour });
            ProbedBehaviour found = new BehaviourProbe(world, router.Inside.AddHost("client")).Probe();
            Assert.Equal(mapping, found.Mapping);
            Assert.Equal(filtering, found.Filtering);

            // Behind a mapping that depends on the destination, the address that the server saw admits only the server, unless nothing is filtered.
            bool reachable = mapping == Dependence.Endpoint || filtering == Dependence.Endpoint;
            Assert.Equal(reachable && hairpin != Hairpin.None, found.Hairpin);
        }
    }

    [Fact]
    public void Masquerade_with_overloaded_ports_looks_endpoint_independent_until_two_hosts_collide()
    {
        NatBehaviour masquerade = NatBehaviour.Symmetric with { Ports = PortAllocation.Preserving, PortOverloading = true };
        World world = new(seed: 1);
        Router router = new(world, "nat", world.Internet, new RouterOptions { Nat = masquerade });
        ProbedBehaviour found = new BehaviourProbe(world, router.Inside.AddHost("client")).Probe();
        Assert.Equal(Dependence.Endpoint, found.Mapping);
        Assert.Equal(Dependence.AddressAndPort, found.Filtering);
    }

    [Fact]
    public void Behind_two_NATs_the_probe_finds_the_stricter_of_each()
    {
        World world = new(seed: 1);
        Router carrier = new(world, "carrier", world.Internet, new RouterOptions { Nat = NatBehaviour.Symmetric, Lan = "100.64.0.0/10" });
        Router home = new(world, "home", carrier.Inside, new RouterOptions { Nat = NatBehaviour.FullCone });
        ProbedBehaviour found = new BehaviourProbe(world, home.Inside.AddHost("client")).Probe();
        Assert.Equal(Dependence.AddressAndPort, found.Mapping);
        Assert.Equal(Dependence.AddressAndPort, found.Filtering);
    }
}
