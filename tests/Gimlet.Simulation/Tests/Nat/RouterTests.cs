using Gimlet.Sockets;
using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>NATs and firewalls as hosts meet them.</summary>
public sealed class RouterTests
{
    private readonly World _world = new(1);
    private readonly SimHost _server;
    private readonly SimSocket _echo;
    private TransportAddress _seen;

    public RouterTests()
    {
        _server = _world.Internet.AddHost("server");
        _echo = _server.Bind(7);
        _echo.OnDatagram = (local, remote, datagram) =>
        {
            _seen = remote;
            Assert.True(_echo.Send(remote, datagram, local));
        };
    }

    [Fact]
    public void A_host_behind_a_NAT_is_seen_at_the_NATs_address_and_gets_its_answers()
    {
        (Router router, SimSocket socket) = Home("home", NatBehaviour.FullCone);
        Assert.True(GetsAnswer(socket));
        Assert.Equal(router.Nat!.PublicAddresses[0].WithPort(5000), _seen);
    }

    [Fact]
    public void All_homes_use_the_same_private_prefix_and_do_not_meet_there()
    {
        (_, SimSocket a) = Home("a home", NatBehaviour.FullCone);
        (_, SimSocket b) = Home("b home", NatBehaviour.FullCone);
        Assert.Equal(a.Host.Address(5000), b.Host.Address(5000));
        Assert.Empty(Arrivals(b, () => a.Send(TransportAddress.Parse("192.168.1.77:5000"), [1])));
        Assert.Equal(1, _world.Drops(DropReason.NoRoute));
    }

    [Fact]
    public void Two_hosts_in_one_LAN_meet_without_the_router()
    {
        (Router router, SimSocket a) = Home("home", NatBehaviour.FullCone);
        SimSocket b = router.Inside.AddHost("b").Bind(6000);
        Assert.Equal([a.Host.Address(5000)], Arrivals(b, () => a.Send(b.Host.Address(6000), [1])));
        router.Wan.Cut();
        Assert.Single(Arrivals(b, () => a.Send(b.Host.Address(6000), [1])));
    }

    [Theory]
    [InlineData(Hairpin.None)]
    [InlineData(Hairpin.ExternalSource)]
    [InlineData(Hairpin.InternalSource)]
    public void REQ_9_a_hairpinned_packet_comes_from_the_senders_external_address(Hairpin hairpin)
    {
        (Router router, SimSocket a) = Home("home", NatBehaviour.FullCone with { Hairpin = hairpin });
        SimSocket b = router.Inside.AddHost("b").Bind(6000);
        Assert.True(GetsAnswer(b));
        TransportAddress publicB = _seen;
        TransportAddress[] expected = hairpin switch
        {
            Hairpin.None => [],
            Hairpin.ExternalSource => [router.Nat!.PublicAddresses[0].WithPort(5000)],
            _ => [a.Host.Address(5000)],
        };
        Assert.Equal(expected, Arrivals(b, () => a.Send(publicB, [1])));
        Assert.Equal(hairpin == Hairpin.None ? 1 : 0, _world.Drops(DropReason.NoHairpin));
    }

    [Fact]
    public void A_hairpin_passes_the_receivers_filter_like_any_other_packet()
    {
        (Router router, SimSocket a) = Home("home", NatBehaviour.PortRestrictedCone with { Hairpin = Hairpin.ExternalSource });
        SimSocket b = router.Inside.AddHost("b").Bind(6000);
        Assert.True(GetsAnswer(a));
        TransportAddress publicA = _seen;
        Assert.True(GetsAnswer(b));
        TransportAddress publicB = _seen;
        Assert.Empty(Arrivals(b, () => a.Send(publicB, [1])));
        Assert.Equal(1, _world.Drops(DropReason.Filtered));
        Assert.Equal([publicB], Arrivals(a, () => b.Send(publicA, [1])));
        Assert.Equal([publicA], Arrivals(b, () => a.Send(publicB, [1])));
    }

    [Fact]
    public void Two_homes_behind_one_carrier_meet_at_the_carriers_address_where_it_hairpins()
    {
        Router carrier = new(_world, "carrier", _world.Internet, new RouterOptions
        {
            Nat = NatBehaviour.FullCone with { Hairpin = Hairpin.ExternalSource },
            Lan = "100.64.0.0/10",
        });
        Router homeA = new(_world, "home a", carrier.Inside, new RouterOptions { Nat = NatBehaviour.PortRestrictedCone });
        Router homeB = new(_world, "home b", carrier.Inside, new RouterOptions { Nat = NatBehaviour.PortRestrictedCone });
        SimSocket a = homeA.Inside.AddHost("a").Bind(5000);
        SimSocket b = homeB.Inside.AddHost("b").Bind(5000);
        Assert.True(GetsAnswer(a));
        TransportAddress publicA = _seen;
        Assert.True(GetsAnswer(b));
        TransportAddress publicB = _seen;
        Assert.True(publicA.SameAddress(publicB));
        Assert.Empty(Arrivals(b, () => a.Send(publicB, [1])));
        Assert.Equal([publicB], Arrivals(a, () => b.Send(publicA, [1])));
        Assert.Equal([publicA], Arrivals(b, () => a.Send(publicB, [1])));
    }

    [Fact]
    public void Unsolicited_packets_vanish_or_are_refused_and_a_refusal_reaches_the_sender_behind_its_own_NAT()
    {
        (Router silent, _) = Home("silent", NatBehaviour.FullCone);
        (Router rejecting, _) = Home("rejecting", NatBehaviour.FullCone with { RejectsUnsolicited = true });
        (_, SimSocket sender) = Home("sender", NatBehaviour.Symmetric);
        List<TransportAddress> refused = [];
        sender.OnUnreachable = refused.Add;
        TransportAddress nobody = rejecting.Nat!.PublicAddresses[0].WithPort(1234);
        _ = sender.Send(silent.Nat!.PublicAddresses[0].WithPort(1234), [1]);
        _ = sender.Send(nobody, [1]);
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal([nobody], refused);
        Assert.Equal(2, _world.Drops(DropReason.NoMapping));
    }

    [Fact]
    public void REQ_12_a_notification_ends_no_mapping_and_quotes_the_address_that_was_asked()
    {
        (Router router, SimSocket socket) = Home("home", NatBehaviour.PortRestrictedCone);
        List<TransportAddress> refused = [];
        socket.OnUnreachable = refused.Add;
        Assert.True(GetsAnswer(socket));
        TransportAddress mapped = _seen;
        _ = socket.Send(_server.Address(9), [1]);
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal([_server.Address(9)], refused);
        Assert.True(GetsAnswer(socket));
        Assert.Equal(mapped, _seen);

        // The other way: a closed port behind the NAT is reported as the public port.
        List<TransportAddress> told = [];
        _echo.OnUnreachable = told.Add;
        socket.Dispose();
        _ = _echo.Send(mapped, [1]);
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal([mapped], told);
        Assert.Equal(router.Nat!.PublicAddresses[0], mapped.WithPort(0));
    }

    [Fact]
    public void A_reboot_shuts_the_door_until_the_inside_sends_again()
    {
        (Router router, SimSocket socket) = Home("home", NatBehaviour.FullCone);
        Assert.True(GetsAnswer(socket));
        Assert.Single(Arrivals(socket, () => _echo.Send(_seen, [1])));
        router.Reboot();
        Assert.Empty(Arrivals(socket, () => _echo.Send(_seen, [1])));
        Assert.True(GetsAnswer(socket));
        Assert.Single(Arrivals(socket, () => _echo.Send(_seen, [1])));
    }

    [Fact]
    public void A_rebind_changes_one_hosts_port_and_no_one_elses()
    {
        (Router router, SimSocket a) = Home("home", NatBehaviour.FullCone);
        SimSocket b = router.Inside.AddHost("b").Bind(6000);
        Assert.True(GetsAnswer(a));
        TransportAddress before = _seen;
        Assert.True(GetsAnswer(b));
        TransportAddress neighbour = _seen;
        router.Rebind(a.Host);
        Assert.Empty(Arrivals(a, () => _echo.Send(before, [1])));
        Assert.True(GetsAnswer(a));
        Assert.True(_seen.SameAddress(before));
        Assert.NotEqual(before, _seen);
        Assert.True(GetsAnswer(b));
        Assert.Equal(neighbour, _seen);
    }

    [Fact]
    public void A_new_public_address_takes_over_from_the_old_one()
    {
        (Router router, SimSocket socket) = Home("home", NatBehaviour.FullCone);
        Assert.True(GetsAnswer(socket));
        TransportAddress before = _seen;
        TransportAddress address = router.ChangePublicAddress();
        Assert.Empty(Arrivals(socket, () => _echo.Send(before, [1])));
        Assert.True(GetsAnswer(socket));
        Assert.Equal(address, _seen.WithPort(0));
    }

    [Theory]
    [InlineData(Dependence.Endpoint, true, true)]
    [InlineData(Dependence.Address, true, false)]
    [InlineData(Dependence.AddressAndPort, false, false)]
    public void IPv6_is_not_translated_but_a_firewall_lets_in_only_what_was_asked_for(Dependence filtering, bool otherPort, bool otherHost)
    {
        Router router = new(_world, "home", _world.Internet, new RouterOptions
        {
            Versions = IpVersions.Both,
            Firewall = new FirewallBehaviour { Filtering = filtering },
        });
        SimHost host = router.Inside.AddHost("client");
        SimSocket socket = host.Bind(5000, ipv4: false);
        SimSocket server = _server.Bind(7, ipv4: false);
        SimSocket alternate = _server.Bind(8, ipv4: false);
        SimSocket stranger = _world.Internet.AddHost("stranger").Bind(7, ipv4: false);
        TransportAddress client = host.Address(5000, ipv4: false);

        Assert.Empty(Arrivals(socket, () => server.Send(client, [1])));
        Assert.Equal([client], Arrivals(server, () => socket.Send(_server.Address(7, ipv4: false), [1])));
        Assert.Single(Arrivals(socket, () => server.Send(client, [1])));
        Assert.Equal(otherPort ? 1 : 0, Arrivals(socket, () => alternate.Send(client, [1])).Count);
        Assert.Equal(otherHost ? 1 : 0, Arrivals(socket, () => stranger.Send(client, [1])).Count);
        _world.RunFor(TimeSpan.FromMinutes(2));
        Assert.Empty(Arrivals(socket, () => server.Send(client, [1])));
    }

    [Fact]
    public void IPv6_reaches_through_two_routers_without_firewalls()
    {
        RouterOptions open = new() { Versions = IpVersions.Both, Firewall = null };
        Router carrier = new(_world, "carrier", _world.Internet, open with { Lan = "100.64.0.0/10" });
        Router home = new(_world, "home", carrier.Inside, open);
        SimHost host = home.Inside.AddHost("client");
        SimSocket socket = host.Bind(5000, ipv4: false);
        SimSocket server = _server.Bind(7, ipv4: false);
        Assert.Equal([_server.Address(7, ipv4: false)], Arrivals(socket, () => server.Send(host.Address(5000, ipv4: false), [1])));
    }

    [Fact]
    public void Without_a_NAT_IPv4_is_routed_and_the_firewall_stands_alone()
    {
        Router router = new(_world, "office", _world.Internet, new RouterOptions { Nat = null });
        SimHost host = router.Inside.AddHost("client");
        SimSocket socket = host.Bind(5000);
        Assert.Empty(Arrivals(socket, () => _echo.Send(host.Address(5000), [1])));
        Assert.Equal(1, _world.Drops(DropReason.Firewall));
        Assert.True(GetsAnswer(socket));
        Assert.Equal(host.Address(5000), _seen);
    }

    [Fact]
    public void A_host_with_two_interfaces_sends_from_the_one_that_is_closest_and_keeps_the_other_when_one_goes()
    {
        (Router home, SimSocket socket) = Home("home", NatBehaviour.FullCone);
        Router cellular = new(_world, "cellular", _world.Internet, new RouterOptions { Lan = "10.0.0.0/8" });
        int changes = 0;
        socket.Host.AddressesChanged += () => changes++;
        Nic second = socket.Host.Attach(cellular.Inside);
        SimSocket neighbour = cellular.Inside.AddHost("neighbour").Bind(9);

        Assert.True(GetsAnswer(socket));
        Assert.True(_seen.SameAddress(home.Nat!.PublicAddresses[0]));
        Assert.Equal([second.Address(ipv4: true).WithPort(5000)], Arrivals(neighbour, () => socket.Send(neighbour.Host.Address(9), [1])));
        Assert.True(GetsAnswer(socket, second.Address(ipv4: true)));
        Assert.True(_seen.SameAddress(cellular.Nat!.PublicAddresses[0]));

        socket.Host.Detach(socket.Host.Nics[0]);
        Assert.True(GetsAnswer(socket));
        Assert.True(_seen.SameAddress(cellular.Nat!.PublicAddresses[0]));
        Assert.Equal(2, changes);
    }

    private (Router Router, SimSocket Socket) Home(string name, NatBehaviour behaviour)
    {
        Router router = new(_world, name, _world.Internet, new RouterOptions { Nat = behaviour });
        return (router, router.Inside.AddHost(name + " client").Bind(5000));
    }

    private bool GetsAnswer(SimSocket socket, TransportAddress local = default)
    {
        bool answered = false;
        socket.OnDatagram = (_, _, _) => answered = true;
        _ = socket.Send(_server.Address(7), [1], local);
        return _world.RunUntil(() => answered, TimeSpan.FromSeconds(1));
    }

    /// <summary>The senders, as the receiver sees them, of what arrives within a second of an action.</summary>
    private List<TransportAddress> Arrivals(SimSocket socket, Action action)
    {
        List<TransportAddress> senders = [];
        socket.OnDatagram = (_, remote, _) => senders.Add(remote);
        action();
        _world.RunFor(TimeSpan.FromSeconds(1));
        socket.OnDatagram = null;
        return senders;
    }
}
