using Gimlet.Sockets;
using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>The translation table by itself, requirement by requirement of RFC 4787.</summary>
public sealed class NatRequirementTests
{
    private static readonly TransportAddress Public = TransportAddress.Parse("80.0.0.1:1").WithPort(0);
    private static readonly TransportAddress Inside = TransportAddress.Parse("192.168.1.10:5000");
    private static readonly TransportAddress Other = TransportAddress.Parse("192.168.1.11:5000");
    private static readonly TransportAddress RemoteA = TransportAddress.Parse("81.0.0.1:1000");
    private static readonly TransportAddress RemoteA2 = TransportAddress.Parse("81.0.0.1:2000");
    private static readonly TransportAddress RemoteB = TransportAddress.Parse("82.0.0.1:1000");
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(Dependence.Endpoint, 1)]
    [InlineData(Dependence.Address, 2)]
    [InlineData(Dependence.AddressAndPort, 3)]
    public void REQ_1_the_mapping_depends_on_what_it_is_said_to_depend_on(Dependence mapping, int distinct)
    {
        NatTable nat = Make(new NatBehaviour { Mapping = mapping });
        HashSet<TransportAddress> seen = [nat.Out(Inside, RemoteA), nat.Out(Inside, RemoteA2), nat.Out(Inside, RemoteB)];
        Assert.Equal(distinct, seen.Count);
        Assert.Equal(nat.Out(Inside, RemoteA), nat.Out(Inside, RemoteA));
    }

    [Fact]
    public void REQ_2_paired_pooling_gives_an_inside_address_one_public_address_and_arbitrary_pooling_does_not()
    {
        TransportAddress[] pool = [.. Enumerable.Range(1, 8).Select(static i => TransportAddress.Parse($"80.0.0.{i}:1").WithPort(0))];
        Assert.Single(Addresses(AddressPooling.Paired));
        Assert.True(Addresses(AddressPooling.Arbitrary).Count > 1);

        HashSet<TransportAddress> Addresses(AddressPooling pooling)
        {
            NatTable nat = new(new Simulation.Nat(new NatBehaviour { Pooling = pooling }, new SimRandom(1), pool));
            return [.. Enumerable.Range(5000, 32).Select(port => nat.Out(Inside.WithPort(port), RemoteA).WithPort(0))];
        }
    }

    [Fact]
    public void Preserved_ports_move_to_the_next_free_one_on_a_collision()
    {
        NatTable nat = Make(new NatBehaviour());
        Assert.Equal(Public.WithPort(5000), nat.Out(Inside, RemoteA));
        Assert.Equal(Public.WithPort(5001), nat.Out(Other, RemoteA));
    }

    [Fact]
    public void Sequential_ports_go_up_by_their_step()
    {
        NatTable nat = Make(NatBehaviour.Symmetric with { Ports = PortAllocation.Sequential, PortStep = 2 });
        int first = nat.Out(Inside, RemoteA).Port;
        Assert.Equal(first + 2, nat.Out(Inside, RemoteA2).Port);
        Assert.Equal(first + 4, nat.Out(Inside, RemoteB).Port);
    }

    [Fact]
    public void Random_ports_are_not_the_inside_port_nor_in_a_row()
    {
        NatTable nat = Make(NatBehaviour.Symmetric);
        int[] ports = [.. Enumerable.Range(1000, 50).Select(port => nat.Out(Inside, RemoteA.WithPort(port)).Port)];
        Assert.Equal(ports.Length, ports.Distinct().Count());
        Assert.DoesNotContain(Inside.Port, ports);
        Assert.True(ports.Zip(ports.Skip(1)).Count(static pair => Math.Abs(pair.First - pair.Second) > 16) > 40);
    }

    [Theory]
    [InlineData(PortAllocation.Preserving)]
    [InlineData(PortAllocation.Sequential)]
    [InlineData(PortAllocation.Random)]
    public void REQ_3_no_two_mappings_share_a_port_and_well_known_ports_stay_well_known(PortAllocation ports)
    {
        NatTable nat = Make(new NatBehaviour { Ports = ports });
        HashSet<int> seen = [];
        for (int host = 1; host < 200; host++)
        {
            TransportAddress inside = TransportAddress.Parse($"192.168.1.{host}:5000");
            Assert.True(seen.Add(nat.Out(inside, RemoteA).Port));
            int low = nat.Out(inside.WithPort(53), RemoteA).Port;
            Assert.True(seen.Add(low));
            Assert.InRange(low, 1, 1023);
        }
    }

    [Fact]
    public void REQ_3_a_NAT_without_a_free_port_says_so()
    {
        NatTable nat = Make(new NatBehaviour());
        for (int host = 1; host <= 1023; host++)
        {
            _ = nat.Out(TransportAddress.Parse($"10.0.{host >> 8}.{host & 255}:53"), RemoteA);
        }

        Assert.Equal(NatVerdict.NoPort, nat.Table.Outbound(nat.Now, TransportAddress.Parse("10.9.9.9:53"), RemoteA, out _));
    }

    [Fact]
    public void An_overloaded_port_carries_two_mappings_with_different_destinations()
    {
        NatTable nat = Make(NatBehaviour.Symmetric with { Ports = PortAllocation.Preserving, PortOverloading = true });
        Assert.Equal(nat.Out(Inside, RemoteA), nat.Out(Other, RemoteB));
        Assert.Equal(Inside, nat.In(RemoteA, Public.WithPort(5000)));
        Assert.Equal(Other, nat.In(RemoteB, Public.WithPort(5000)));
        Assert.NotEqual(Public.WithPort(5000), nat.Out(Other, RemoteA));
    }

    [Fact]
    public void REQ_5_a_mapping_lives_for_its_timeout_and_no_longer()
    {
        NatTable nat = Make(new NatBehaviour { Timeout = TimeSpan.FromSeconds(30) });
        TransportAddress external = nat.Out(Inside, RemoteA);
        nat.Now += TimeSpan.FromSeconds(30) - TimeSpan.FromTicks(1);
        Assert.Equal(Inside, nat.In(RemoteB, external));
        nat.Now += TimeSpan.FromTicks(1);
        Assert.Null(nat.In(RemoteB, external));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void REQ_6_outgoing_packets_refresh_a_mapping_and_incoming_ones_where_they_may(bool inboundRefresh)
    {
        NatTable nat = Make(new NatBehaviour
        {
            Filtering = Dependence.AddressAndPort,
            Timeout = TimeSpan.FromSeconds(30),
            InboundRefresh = inboundRefresh,
        });
        TransportAddress external = nat.Out(Inside, RemoteA);
        nat.Now += 20 * Second;
        Assert.Equal(external, nat.Out(Inside, RemoteA));
        nat.Now += 20 * Second;
        Assert.Equal(Inside, nat.In(RemoteA, external));
        nat.Now += 20 * Second;
        Assert.Equal(inboundRefresh ? Inside : null, nat.In(RemoteA, external));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_filter_entry_expires_by_itself_where_sessions_have_timers(bool sessionTimers)
    {
        NatTable nat = Make(new NatBehaviour { Filtering = Dependence.Address, Timeout = 30 * Second, SessionTimers = sessionTimers });
        TransportAddress external = nat.Out(Inside, RemoteA);
        nat.Now += 20 * Second;
        _ = nat.Out(Inside, RemoteB);
        nat.Now += 20 * Second;
        Assert.Equal(Inside, nat.In(RemoteB, external));
        Assert.Equal(sessionTimers ? null : Inside, nat.In(RemoteA, external));
    }

    [Theory]
    [InlineData(Dependence.Endpoint, true, true)]
    [InlineData(Dependence.Address, true, false)]
    [InlineData(Dependence.AddressAndPort, false, false)]
    public void REQ_8_the_filter_depends_on_what_it_is_said_to_depend_on(Dependence filtering, bool otherPort, bool otherAddress)
    {
        NatTable nat = Make(new NatBehaviour { Filtering = filtering });
        TransportAddress external = nat.Out(Inside, RemoteA);
        Assert.Equal(Inside, nat.In(RemoteA, external));
        Assert.Equal(otherPort ? Inside : null, nat.In(RemoteA2, external));
        Assert.Equal(otherAddress ? Inside : null, nat.In(RemoteB, external));
        Assert.Null(nat.In(RemoteA, external.WithPort(external.Port + 1)));
    }

    [Fact]
    public void REQ_11_behaviour_does_not_change_with_load()
    {
        NatTable nat = Make(new NatBehaviour());
        TransportAddress external = nat.Out(Inside, RemoteA);
        for (int port = 1024; port < 4000; port++)
        {
            _ = nat.Out(Other.WithPort(port), RemoteA);
        }

        Assert.Equal(external, nat.Out(Inside, RemoteB));
        Assert.Equal(Inside, nat.In(TransportAddress.Parse("90.0.0.1:9"), external));
    }

    [Fact]
    public void A_rebound_inside_address_gets_other_ports_and_the_old_ones_lead_nowhere()
    {
        NatTable nat = Make(new NatBehaviour());
        TransportAddress before = nat.Out(Inside, RemoteA);
        TransportAddress neighbour = nat.Out(Other, RemoteA);
        nat.Table.Rebind(Inside.WithPort(0));
        Assert.Null(nat.In(RemoteA, before));
        Assert.NotEqual(before, nat.Out(Inside, RemoteA));
        Assert.Equal(neighbour, nat.Out(Other, RemoteA));
    }

    [Fact]
    public void A_reset_forgets_everything_and_sequential_ports_go_on_from_elsewhere()
    {
        NatTable nat = Make(NatBehaviour.Symmetric with { Ports = PortAllocation.Sequential });
        TransportAddress before = nat.Out(Inside, RemoteA);
        nat.Table.Reset();
        Assert.Null(nat.In(RemoteA, before));
        Assert.NotInRange(nat.Out(Inside, RemoteA).Port, before.Port - 1, before.Port + 1);
    }

    private static NatTable Make(NatBehaviour behaviour) => new(new Simulation.Nat(behaviour, new SimRandom(1), Public));

    /// <summary>A table with a clock, and answers that read well in assertions.</summary>
    private sealed class NatTable(Simulation.Nat table)
    {
        public Simulation.Nat Table { get; } = table;

        public TimeSpan Now { get; set; }

        public TransportAddress Out(TransportAddress inside, TransportAddress remote)
        {
            Assert.Equal(NatVerdict.Translated, Table.Outbound(Now, inside, remote, out TransportAddress external));
            return external;
        }

        public TransportAddress? In(TransportAddress remote, TransportAddress external) =>
            Table.Inbound(Now, remote, external, out TransportAddress inside) == NatVerdict.Translated ? inside : null;
    }
}
