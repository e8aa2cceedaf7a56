using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Discovery;
using Gimlet.Stun.Tests.Support;

namespace Gimlet.Stun.Tests.Discovery;

public sealed class NatClassifierTests
{
    private static readonly TransportAddress B = TransportAddress.Parse("192.0.2.20:3478");
    private static readonly TransportAddress C = TransportAddress.Parse("192.0.2.30:3478");

    public static TheoryData<MappingBehavior, FilteringBehavior, NatType> Table => new()
    {
        { MappingBehavior.EndpointIndependent, FilteringBehavior.EndpointIndependent, NatType.FullCone },
        { MappingBehavior.EndpointIndependent, FilteringBehavior.AddressDependent, NatType.RestrictedCone },
        { MappingBehavior.EndpointIndependent, FilteringBehavior.AddressAndPortDependent, NatType.PortRestrictedCone },
        { MappingBehavior.AddressDependent, FilteringBehavior.EndpointIndependent, NatType.Symmetric },
        { MappingBehavior.AddressDependent, FilteringBehavior.AddressDependent, NatType.Symmetric },
        { MappingBehavior.AddressDependent, FilteringBehavior.AddressAndPortDependent, NatType.Symmetric },
        { MappingBehavior.AddressAndPortDependent, FilteringBehavior.EndpointIndependent, NatType.Symmetric },
        { MappingBehavior.AddressAndPortDependent, FilteringBehavior.AddressDependent, NatType.Symmetric },
        { MappingBehavior.AddressAndPortDependent, FilteringBehavior.AddressAndPortDependent, NatType.Symmetric },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void A_server_with_two_addresses_tells_everything(MappingBehavior mapping, FilteringBehavior filtering, NatType type)
    {
        var world = new ClassifierWorld { Nat = new FakeNat(mapping, filtering) }.WithFullServer();
        NatBehavior behavior = world.Classify(Servers.A1P1);

        Assert.Equal(mapping, behavior.Mapping);
        Assert.Equal(filtering, behavior.Filtering);
        Assert.Equal(type, behavior.Type);
        Assert.Equal(behavior.Mapping, behavior.MappingAtLeast);
        Assert.Equal(behavior.Mapping, behavior.MappingAtMost);
        Assert.True(behavior.IsNatted);
        Assert.False(behavior.PortPreserved);
        Assert.InRange(world.Now, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void Three_datagrams_in_ten_may_be_lost(MappingBehavior mapping, FilteringBehavior filtering, NatType type)
    {
        var random = new Random(99);
        var world = new ClassifierWorld
        {
            Nat = new FakeNat(mapping, filtering),
            Lose = (_, _) => random.Next(10) < 3,
        }.WithFullServer();

        // Silence that is loss and silence that is a filter look alike; what five sends leave of that is what this seed shows.
        NatBehavior behavior = world.Classify(Servers.A1P1);
        Assert.Equal(mapping, behavior.Mapping);
        Assert.Equal(filtering, behavior.Filtering);
        Assert.Equal(type, behavior.Type);
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void Answers_that_come_twice_change_nothing(MappingBehavior mapping, FilteringBehavior filtering, NatType type)
    {
        var world = new ClassifierWorld { Nat = new FakeNat(mapping, filtering), Duplicate = true }.WithFullServer();
        NatBehavior behavior = world.Classify(Servers.A1P1);
        Assert.Equal((mapping, filtering, type), (behavior.Mapping, behavior.Filtering, behavior.Type));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Hairpinning_is_found_whatever_the_filter(bool hairpin)
    {
        foreach (FilteringBehavior filtering in new[] { FilteringBehavior.EndpointIndependent, FilteringBehavior.AddressAndPortDependent })
        {
            var nat = new FakeNat(MappingBehavior.EndpointIndependent, filtering, hairpin: hairpin);
            NatBehavior behavior = new ClassifierWorld { Nat = nat }.WithFullServer().Classify(Servers.A1P1);
            Assert.Equal(hairpin, behavior.Hairpinning);
            Assert.Equal(filtering, behavior.Filtering);
        }
    }

    [Fact]
    public void Two_plain_servers_tell_the_mapping_and_not_the_filtering()
    {
        NatBehavior cone = Plain(MappingBehavior.EndpointIndependent, B, C);
        Assert.Equal(MappingBehavior.EndpointIndependent, cone.Mapping);
        Assert.Equal(FilteringBehavior.Unknown, cone.Filtering);
        Assert.Equal(FilteringBehavior.EndpointIndependent, cone.FilteringAtLeast);
        Assert.Equal(FilteringBehavior.AddressAndPortDependent, cone.FilteringAtMost);
        Assert.Equal(NatType.Unknown, cone.Type);

        NatBehavior symmetric = Plain(MappingBehavior.AddressAndPortDependent, B, C);
        Assert.Equal(MappingBehavior.Unknown, symmetric.Mapping);
        Assert.Equal(MappingBehavior.AddressDependent, symmetric.MappingAtLeast);
        Assert.Equal(MappingBehavior.AddressAndPortDependent, symmetric.MappingAtMost);
        Assert.Equal(NatType.Symmetric, symmetric.Type);
    }

    [Fact]
    public void One_plain_server_tells_only_the_address()
    {
        NatBehavior behavior = Plain(MappingBehavior.EndpointIndependent, B);
        Assert.Equal(MappingBehavior.Unknown, behavior.Mapping);
        Assert.Equal(MappingBehavior.EndpointIndependent, behavior.MappingAtLeast);
        Assert.Equal(MappingBehavior.AddressAndPortDependent, behavior.MappingAtMost);
        Assert.Equal(NatType.Unknown, behavior.Type);
        Assert.True(behavior.IsNatted);
        Assert.Equal(FakeNat.Outside.WithPort(50_813), Assert.Single(behavior.Observations).Mapped);
    }

    [Theory]
    [InlineData(MappingBehavior.EndpointIndependent, MappingBehavior.EndpointIndependent, MappingBehavior.AddressDependent)]
    [InlineData(MappingBehavior.AddressDependent, MappingBehavior.EndpointIndependent, MappingBehavior.AddressDependent)]
    [InlineData(MappingBehavior.AddressAndPortDependent, MappingBehavior.AddressAndPortDependent, MappingBehavior.AddressAndPortDependent)]
    public void A_second_port_tells_whether_the_mapping_depends_on_ports(
        MappingBehavior mapping, MappingBehavior atLeast, MappingBehavior atMost)
    {
        NatBehavior behavior = TwoPorts(mapping, FilteringBehavior.AddressDependent).Classify(Servers.A1P1, Servers.A1P1.WithPort(3479));
        Assert.Equal(atLeast, behavior.MappingAtLeast);
        Assert.Equal(atMost, behavior.MappingAtMost);
        Assert.Equal(atLeast == atMost ? atLeast : MappingBehavior.Unknown, behavior.Mapping);
    }

    [Theory]
    [InlineData(FilteringBehavior.EndpointIndependent, FilteringBehavior.EndpointIndependent, FilteringBehavior.AddressDependent)]
    [InlineData(FilteringBehavior.AddressDependent, FilteringBehavior.EndpointIndependent, FilteringBehavior.AddressDependent)]
    [InlineData(
        FilteringBehavior.AddressAndPortDependent, FilteringBehavior.AddressAndPortDependent, FilteringBehavior.AddressAndPortDependent)]
    public void A_second_port_tells_whether_the_filter_looks_at_ports(
        FilteringBehavior filtering, FilteringBehavior atLeast, FilteringBehavior atMost)
    {
        NatBehavior behavior = TwoPorts(MappingBehavior.EndpointIndependent, filtering).Classify(Servers.A1P1, Servers.A1P1.WithPort(3479));
        Assert.Equal(atLeast, behavior.FilteringAtLeast);
        Assert.Equal(atMost, behavior.FilteringAtMost);
        Assert.Equal(atLeast == atMost ? atLeast : FilteringBehavior.Unknown, behavior.Filtering);
    }

    [Fact]
    public void A_second_port_that_nobody_named_is_learned_from_the_answer_that_leaves_it()
    {
        NatBehavior behavior = TwoPorts(MappingBehavior.AddressAndPortDependent, FilteringBehavior.EndpointIndependent)
            .Classify(Servers.A1P1);
        Assert.Equal(MappingBehavior.AddressAndPortDependent, behavior.Mapping);
        Assert.Equal(2, behavior.Observations.Count);
    }

    [Fact]
    public void A_second_port_and_an_independent_server_name_a_port_restricted_cone()
    {
        NatBehavior behavior = TwoPorts(MappingBehavior.EndpointIndependent, FilteringBehavior.AddressAndPortDependent)
            .WithServer(Servers.Plain, B)
            .Classify(Servers.A1P1, B);
        Assert.Equal(NatType.PortRestrictedCone, behavior.Type);
    }

    [Theory]
    [InlineData(FilteringBehavior.EndpointIndependent, NatType.Open)]
    [InlineData(FilteringBehavior.AddressDependent, NatType.RestrictedCone)]
    [InlineData(FilteringBehavior.AddressAndPortDependent, NatType.PortRestrictedCone)]
    public void Without_a_NAT_the_firewall_decides(FilteringBehavior firewall, NatType type)
    {
        NatBehavior behavior = new ClassifierWorld { Firewall = firewall }.WithFullServer().Classify(Servers.A1P1);
        Assert.False(behavior.IsNatted);
        Assert.Equal(MappingBehavior.EndpointIndependent, behavior.Mapping);
        Assert.Equal(firewall, behavior.Filtering);
        Assert.Equal(type, behavior.Type);
        Assert.True(behavior.PortPreserved);
        Assert.Null(behavior.Hairpinning);
        Assert.Contains("no NAT", behavior.Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void IPv6_behind_a_firewall_is_classified_the_same_way()
    {
        var server = TransportAddress.Parse("[2001:db8:1::1]:3478");
        var other = TransportAddress.Parse("[2001:db8:1::2]:3479");
        NatBehavior behavior = new ClassifierWorld
        {
            OwnAddress = TransportAddress.Parse("[2001:db8::7]:41002"),
            Firewall = FilteringBehavior.AddressDependent,
        }.WithServer(Servers.Full, server, server.WithPort(3479), other.WithPort(3478), other).Classify(server);

        Assert.Equal(NatType.RestrictedCone, behavior.Type);
        Assert.False(behavior.IsNatted);
    }

    [Fact]
    public void Blocked_UDP_is_known_after_the_probes_have_timed_out()
    {
        var world = new ClassifierWorld { Nat = Cone(), Lose = (_, _) => true }.WithFullServer();
        NatBehavior behavior = world.Classify(Servers.A1P1, B, C);

        Assert.Equal(NatType.UdpBlocked, behavior.Type);
        Assert.Equal("UDP blocked", behavior.FriendlyName);
        Assert.Equal("nothing came back over UDP from any of 3 servers", behavior.Evidence);
        Assert.Equal(TimeSpan.FromSeconds(3), world.Now);
    }

    [Fact]
    public void Answers_that_are_garbage_do_not_make_UDP_look_blocked()
    {
        var world = new ClassifierWorld
        {
            Nat = Cone(),
            Tamper = bytes =>
            {
                // XOR-MAPPED-ADDRESS becomes an attribute that nobody understands.
                bytes[20] = 0x7F;
                return bytes;
            },
        }.WithFullServer();
        NatBehavior behavior = world.Classify(Servers.A1P1);
        Assert.Equal(NatType.Unknown, behavior.Type);
        Assert.Equal("the servers answered, and none said which address it saw", behavior.Evidence);
    }

    [Fact]
    public void A_machine_that_cannot_send_says_so()
    {
        var classifier = new NatClassifier([B], [], new NatClassifierOptions(), SeededRandom.From(1));
        classifier.Start(TimeSpan.Zero, default);
        byte[] buffer = new byte[64];
        TimeSpan now = TimeSpan.Zero;
        while (classifier.PollTransmit(out ProbeSocket socket, out TransportAddress destination, buffer, out _))
        {
            classifier.HandleSendFailure(now, socket, destination, "network is unreachable");
            now = classifier.NextTimeout ?? now;
            classifier.HandleTimeout(now);
        }

        Assert.True(classifier.IsComplete);
        Assert.Equal(TimeSpan.FromMilliseconds(100), now);
        Assert.Equal(NatType.Unknown, classifier.Behavior.Type);
        Assert.Equal("this machine cannot send over UDP: network is unreachable", classifier.Behavior.Evidence);
    }

    [Fact]
    public void Without_servers_nothing_is_known()
    {
        var classifier = new NatClassifier([], [], new NatClassifierOptions(), SeededRandom.From(1));
        classifier.Start(TimeSpan.Zero, default);
        Assert.True(classifier.IsComplete);
        Assert.Equal(NatType.Unknown, classifier.Behavior.Type);
        Assert.Equal("there is no STUN server to ask", classifier.Behavior.Evidence);
    }

    [Fact]
    public void The_evidence_gives_the_figures()
    {
        var nat = new FakeNat(MappingBehavior.AddressAndPortDependent, FilteringBehavior.AddressAndPortDependent, PortChoice.Sequential);
        NatBehavior symmetric = new ClassifierWorld { Nat = nat }
            .WithServer(Servers.Plain, B).WithServer(Servers.Plain, C).WithServer(Servers.Plain, B.WithPort(9))
            .Classify(B, C, B.WithPort(9));
        Assert.StartsWith(
            "3 probes from port 41002 left as 3 ports: 50201, 50202, 50203; ", symmetric.Evidence, StringComparison.Ordinal);

        NatBehavior cone = new ClassifierWorld { Nat = Cone() }.WithFullServer().Classify(Servers.A1P1);
        Assert.EndsWith("; no answer from another port of the server came in", cone.Evidence, StringComparison.Ordinal);
        Assert.Contains("left as 203.0.113.7:50813", cone.Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_preserved_port_is_noticed()
    {
        var nat = new FakeNat(MappingBehavior.EndpointIndependent, FilteringBehavior.AddressDependent, PortChoice.Preserve);
        NatBehavior behavior = new ClassifierWorld { Nat = nat }.WithFullServer().Classify(Servers.A1P1);
        Assert.True(behavior.PortPreserved);
        Assert.True(behavior.IsNatted);
    }

    [Fact]
    public void The_filter_is_tested_by_a_socket_that_sends_to_one_address_only()
    {
        var world = new ClassifierWorld { Nat = Cone() }.WithFullServer();
        _ = world.Classify(new NatClassifierOptions { TestHairpinning = false }, Servers.A1P1, B);

        Assert.Equal(
            [Servers.A1P1], world.Sent.Where(sent => sent.Socket == ProbeSocket.Filtering).Select(sent => sent.Destination).Distinct());
    }

    [Fact]
    public void Without_a_second_socket_only_the_mapping_is_tested()
    {
        var world = new ClassifierWorld { Nat = Cone() }.WithFullServer();
        NatBehavior behavior = world.Classify(
            new NatClassifierOptions { TestFiltering = false, TestHairpinning = false }, Servers.A1P1);

        Assert.Equal(MappingBehavior.EndpointIndependent, behavior.Mapping);
        Assert.Equal(FilteringBehavior.Unknown, behavior.Filtering);
        Assert.All(world.Sent, sent => Assert.Equal(ProbeSocket.Mapping, sent.Socket));
        Assert.Equal(TimeSpan.FromMilliseconds(80), world.Now);
    }

    [Fact]
    public void A_dead_server_beside_a_good_one_costs_no_time()
    {
        var world = new ClassifierWorld
        {
            Nat = new FakeNat(MappingBehavior.EndpointIndependent, FilteringBehavior.EndpointIndependent, hairpin: true),
        }.WithFullServer();
        NatBehavior behavior = world.Classify(B, Servers.A1P1, C);
        Assert.Equal(NatType.FullCone, behavior.Type);
        Assert.InRange(world.Now, TimeSpan.Zero, TimeSpan.FromMilliseconds(150));
    }

    [Fact]
    public void A_server_inside_the_network_does_not_make_a_NAT_look_symmetric()
    {
        TransportAddress inner = TransportAddress.Parse("192.168.1.1:3478");
        TransportAddress mapped = TransportAddress.Parse("203.0.113.7:5");
        var classifier = new NatClassifier(
            [inner, B, C], [], new NatClassifierOptions { TestFiltering = false, TestHairpinning = false }, SeededRandom.From(1));
        classifier.Start(TimeSpan.Zero, ClassifierWorld.InsideHost);
        byte[] buffer = new byte[64];
        while (classifier.PollTransmit(out _, out TransportAddress destination, buffer, out int length))
        {
            var request = new SentRequest(TimeSpan.Zero, destination, buffer[..length]);
            byte[] answer = QueryDriver.Response(request, destination == inner ? ClassifierWorld.InsideHost : mapped);
            Assert.True(classifier.HandleDatagram(TimeSpan.Zero, ProbeSocket.Mapping, destination, ClassifierWorld.InsideHost, answer));
        }

        Assert.Equal(MappingBehavior.EndpointIndependent, classifier.Behavior.Mapping);
        Assert.Equal([B, C], classifier.Behavior.Observations.Select(observation => observation.Server));
    }

    [Theory]
    [InlineData("127.0.0.1:5")]
    [InlineData("10.0.0.1:5")]
    [InlineData("224.0.0.1:5")]
    [InlineData("169.254.169.254:80")]
    [InlineData("[2001:db8::1]:5")]
    [InlineData("192.0.2.20:99")]
    public void A_server_cannot_send_us_where_it_should_not(string other)
    {
        var classifier = new NatClassifier([B], [], new NatClassifierOptions { TestFiltering = false }, SeededRandom.From(1));
        classifier.Start(TimeSpan.Zero, ClassifierWorld.InsideHost);
        byte[] buffer = new byte[64];
        Assert.True(classifier.PollTransmit(out _, out _, buffer, out int length));
        var builder = new SentRequest(TimeSpan.Zero, B, buffer[..length]).BeginResponse(StunClass.Success);
        builder.AddXorMappedAddress(FakeNat.Outside);
        builder.AddOtherAddress(TransportAddress.Parse(other));
        Assert.True(classifier.HandleDatagram(TimeSpan.Zero, ProbeSocket.Mapping, B, default, builder.Written));

        Assert.False(classifier.PollTransmit(out _, out _, buffer, out _));
    }

    [Fact]
    public void A_server_that_ignores_the_wish_for_a_change_does_not_make_the_filter_look_open()
    {
        NatBehavior behavior = AnswerEverythingFromTheSameAddress();
        Assert.Equal(FilteringBehavior.Unknown, behavior.Filtering);
        Assert.Equal(FilteringBehavior.AddressAndPortDependent, behavior.FilteringAtMost);
        Assert.Contains("cannot answer from elsewhere", behavior.Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void Servers_of_both_families_are_refused() =>
        Assert.Throws<ArgumentException>(() => new NatClassifier(
            [B, TransportAddress.Parse("[2001:db8::1]:3478")], [], new NatClassifierOptions(), SeededRandom.From(1)));

    [Fact]
    public void Garbage_changes_nothing()
    {
        var classifier = new NatClassifier([B], [], new NatClassifierOptions(), SeededRandom.From(1));
        classifier.Start(TimeSpan.Zero, ClassifierWorld.InsideHost);
        byte[] buffer = new byte[64];
        Assert.True(classifier.PollTransmit(out _, out _, buffer, out int length));
        byte[] valid = QueryDriver.Response(new SentRequest(TimeSpan.Zero, B, buffer[..length]), FakeNat.Outside);
        foreach (byte[] bytes in Mutations.Truncations(valid).Concat(Mutations.Random(valid, seed: 4, stun: true)))
        {
            _ = classifier.HandleDatagram(TimeSpan.Zero, ProbeSocket.Mapping, C, default, bytes);
            _ = classifier.HandleDatagram(TimeSpan.Zero, ProbeSocket.Filtering, B, default, bytes);
        }

        Assert.Empty(classifier.Behavior.Observations);
        Assert.True(classifier.HandleDatagram(TimeSpan.Zero, ProbeSocket.Mapping, B, default, valid));
        Assert.Single(classifier.Behavior.Observations);
    }

    private static FakeNat Cone() => new(MappingBehavior.EndpointIndependent, FilteringBehavior.AddressAndPortDependent);

    private static NatBehavior Plain(MappingBehavior mapping, params TransportAddress[] servers)
    {
        var world = new ClassifierWorld { Nat = new FakeNat(mapping, FilteringBehavior.AddressAndPortDependent) };
        foreach (TransportAddress server in servers)
        {
            _ = world.WithServer(Servers.Plain, server);
        }

        return world.Classify(servers);
    }

    private static ClassifierWorld TwoPorts(MappingBehavior mapping, FilteringBehavior filtering) =>
        new ClassifierWorld { Nat = new FakeNat(mapping, filtering) }
            .WithServer(Servers.TwoPorts, Servers.A1P1, Servers.A1P1.WithPort(3479));

    private static NatBehavior AnswerEverythingFromTheSameAddress()
    {
        var classifier = new NatClassifier(
            [B], [], new NatClassifierOptions { TestHairpinning = false, Patience = TimeSpan.Zero }, SeededRandom.From(1));
        classifier.Start(TimeSpan.Zero, ClassifierWorld.InsideHost);
        byte[] buffer = new byte[64];
        TimeSpan now = TimeSpan.Zero;
        while (!classifier.IsComplete)
        {
            while (classifier.PollTransmit(out ProbeSocket socket, out TransportAddress destination, buffer, out int length))
            {
                byte[] answer = QueryDriver.Response(new SentRequest(now, destination, buffer[..length]), FakeNat.Outside);
                _ = classifier.HandleDatagram(now, socket, destination, default, answer);
            }

            now = classifier.NextTimeout ?? now;
            classifier.HandleTimeout(now);
        }

        return classifier.Behavior;
    }
}
