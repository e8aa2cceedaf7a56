using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>How a router is built.</summary>
internal sealed record RouterOptions
{
    /// <summary>Translates IPv4; null routes a public /24 instead.</summary>
    public NatBehaviour? Nat { get; init; } = NatBehaviour.PortRestrictedCone;

    /// <summary>Guards what is not translated (IPv6, and IPv4 without a NAT); null lets everything through.</summary>
    public FirewallBehaviour? Firewall { get; init; } = new();

    public IpVersions Versions { get; init; } = IpVersions.V4;

    /// <summary>
    /// The inside IPv4 prefix of a NAT. By default all homes have the same, as in life: a peer's host candidate then names a
    /// machine of one's own LAN.
    /// </summary>
    public string Lan { get; init; } = "192.168.1.0/24";

    /// <summary>Both directions of the link to the outside.</summary>
    public LinkConditions Wan { get; init; } = new() { Latency = TimeSpan.FromMilliseconds(5) };
}

/// <summary>Joins an inside network to an outside one: NAT for IPv4, a stateful firewall for what is not translated.</summary>
internal sealed class Router : IPacketHandler
{
    private readonly World _world;
    private readonly SimRandom _random;
    private readonly StatefulFirewall? _firewall;

    public Router(World world, string name, Network outside, RouterOptions? options = null)
    {
        world.Claim(name);
        options ??= new RouterOptions();
        _world = world;
        Name = name;
        _random = world.Random($"router {name}");
        IpVersions versions = options.Versions & outside.Versions;
        bool ipv4 = versions.HasFlag(IpVersions.V4);
        AddressPrefix? v4 = !ipv4 ? null : options.Nat is null ? world.Internet.NewSitePrefix(ipv4: true) : AddressPrefix.Parse(options.Lan);
        AddressPrefix? v6 = versions.HasFlag(IpVersions.V6) ? world.Internet.NewSitePrefix(ipv4: false) : null;
        Inside = new Network(world, name + ".lan", v4, v6);
        OutsideNic = new Nic(world, name + ".wan", this, outside);
        OutsideNic.Link.SetConditions(options.Wan);
        InsideNic = new Nic(world, name + ".lan", this, Inside);
        Inside.Gateway = InsideNic;
        if (v4 is { } inside4)
        {
            OutsideNic.AddAddress(outside.NewAddress(ipv4: true));
            InsideNic.AddAddress(inside4.Address(1));
            if (options.Nat is { } behaviour)
            {
                for (int extra = 1; extra < behaviour.PublicAddresses; extra++)
                {
                    OutsideNic.AddAddress(outside.NewAddress(ipv4: true));
                }

                Nat = new Nat(behaviour, world.Random($"nat {name}"), [.. OutsideNic.Addresses]);
            }
            else
            {
                Announce(inside4);
            }
        }

        if (v6 is { } inside6)
        {
            OutsideNic.AddAddress(outside.NewAddress(ipv4: false));
            InsideNic.AddAddress(inside6.Address(1));
            Announce(inside6);
        }

        _firewall = options.Firewall is { } firewall ? new StatefulFirewall(firewall) : null;
    }

    /// <summary>Raised when the router forgets its state: the channels through it are dead.</summary>
    public event Action? Forgot;

    public string Name { get; }

    public Network Inside { get; }

    public Nic InsideNic { get; }

    public Nic OutsideNic { get; }

    public Nat? Nat { get; }

    /// <summary>The link to the outside.</summary>
    public Link Wan => OutsideNic.Link;

    /// <summary>Mappings and sessions are gone, ports start elsewhere; the address stays.</summary>
    public void Reboot()
    {
        _world.Trace?.Write(_world.Now, Name, "reboots");
        Nat?.Reset();
        _firewall?.Reset();
        Forgot?.Invoke();
    }

    /// <summary>The host's mappings are gone and their next ones have other ports.</summary>
    public void Rebind(SimHost host)
    {
        _world.Trace?.Write(_world.Now, Name, $"rebinds {host.Name}");
        foreach (Nic nic in host.Nics)
        {
            if (nic.Network == Inside)
            {
                Nat?.Rebind(nic.Address(ipv4: true));
            }
        }
    }

    /// <summary>The provider gives another address; everything about the old one is forgotten.</summary>
    /// <returns>The new address.</returns>
    public TransportAddress ChangePublicAddress()
    {
        TransportAddress address = OutsideNic.Network.NewAddress(ipv4: true);
        foreach (TransportAddress old in OutsideNic.Addresses.Where(static a => a.IsIPv4).ToArray())
        {
            OutsideNic.RemoveAddress(old);
        }

        OutsideNic.AddAddress(address);
        _world.Trace?.Write(_world.Now, Name, $"has a new address {address.ToIPAddress()}");
        Nat?.SetPublicAddresses(address);
        Forgot?.Invoke();
        return address;
    }

    /// <summary>The public form of a TCP connection's inside end.</summary>
    public TransportAddress TranslateStream(TransportAddress inside) => inside.IsIPv4 && Nat is not null
        ? Nat.PublicAddressFor(inside).WithPort(_random.Next(1024, 65536))
        : inside;

    void IPacketHandler.Receive(Nic nic, Packet packet)
    {
        if (--packet.TimeToLive <= 0)
        {
            _world.Drop(packet, DropReason.TimeToLive, Name);
        }
        else if (nic == InsideNic)
        {
            FromInside(packet);
        }
        else
        {
            FromOutside(packet);
        }
    }

    /// <summary>Every router further out learns that the prefix is reached through this one.</summary>
    private void Announce(AddressPrefix prefix)
    {
        Nic via = OutsideNic;
        while (true)
        {
            via.Network.AddRoute(prefix, via);
            if (via.Network.Gateway is not { Owner: Router next })
            {
                return;
            }

            via = next.OutsideNic;
        }
    }

    private void FromInside(Packet packet)
    {
        if (packet.Source.IsIPv4 && Nat is not null)
        {
            TranslateOut(Nat, packet);
        }
        else if (Inside.IsOnLink(packet.Destination))
        {
            _world.Drop(packet, DropReason.NoRoute, Name);
        }
        else
        {
            if (packet.Kind == PacketKind.Datagram)
            {
                _firewall?.Outbound(_world.Now, packet.Source, packet.Destination);
            }

            OutsideNic.Transmit(packet);
        }
    }

    private void FromOutside(Packet packet)
    {
        if (packet.Destination.IsIPv4 && Nat is not null)
        {
            TranslateIn(Nat, packet);
            return;
        }

        TransportAddress remote = packet.Kind == PacketKind.Datagram ? packet.Source : packet.Quoted;
        if (_firewall is null || _firewall.Admits(_world.Now, remote, packet.Destination))
        {
            InsideNic.Transmit(packet);
        }
        else
        {
            Refuse(packet, DropReason.Firewall, _firewall.Behaviour.RejectsUnsolicited);
        }
    }

    private void TranslateOut(Nat nat, Packet packet)
    {
        TimeSpan now = _world.Now;
        if (packet.Kind == PacketKind.Unreachable)
        {
            NotifyOut(nat, packet);
            return;
        }

        if (Inside.IsOnLink(packet.Destination))
        {
            _world.Drop(packet, DropReason.NoRoute, Name);
            return;
        }

        bool hairpin = nat.IsPublic(packet.Destination);
        if (hairpin && nat.Behaviour.Hairpin == Hairpin.None)
        {
            _world.Drop(packet, DropReason.NoHairpin, Name);
            return;
        }

        TransportAddress inside = packet.Source;
        if (nat.Outbound(now, inside, packet.Destination, out TransportAddress external) != NatVerdict.Translated)
        {
            _world.Drop(packet, DropReason.NoPort, Name);
            return;
        }

        packet.Source = external;
        if (!hairpin)
        {
            _world.Trace?.Write(now, Name, $"out {inside} as", packet);
            OutsideNic.Transmit(packet);
            return;
        }

        // RFC 4787 section 6. The filter sees the external source either way: it is what the receiver has sent to.
        TransportAddress asked = packet.Destination;
        NatVerdict verdict = nat.Inbound(now, external, asked, out TransportAddress receiver);
        if (verdict != NatVerdict.Translated)
        {
            _world.Drop(packet, verdict == NatVerdict.Filtered ? DropReason.Filtered : DropReason.NoMapping, Name);
            return;
        }

        // REQ-9 a): "A NAT Hairpinning behavior MUST be 'External source IP address and port'."
        packet.Source = nat.Behaviour.Hairpin == Hairpin.ExternalSource ? external : inside;
        packet.Destination = receiver;
        _world.Trace?.Write(now, Name, $"hairpin {asked} as", packet);
        InsideNic.Transmit(packet);
    }

    private void TranslateIn(Nat nat, Packet packet)
    {
        TimeSpan now = _world.Now;
        TransportAddress asked = packet.Destination;
        TransportAddress inside;
        if (packet.Kind == PacketKind.Unreachable)
        {
            // RFC 4787 REQ-12: "Receipt of any sort of ICMP message MUST NOT terminate the NAT mapping."
            if (nat.TryFindInside(now, packet.Quoted, asked, out inside))
            {
                packet.Destination = inside;
                InsideNic.Transmit(packet);
            }
            else
            {
                _world.Drop(packet, DropReason.NoMapping, Name);
            }

            return;
        }

        NatVerdict verdict = nat.IsPublic(asked) ? nat.Inbound(now, packet.Source, asked, out inside) : Unknown(out inside);
        if (verdict != NatVerdict.Translated)
        {
            Refuse(packet, verdict == NatVerdict.Filtered ? DropReason.Filtered : DropReason.NoMapping, nat.Behaviour.RejectsUnsolicited);
            return;
        }

        packet.Destination = inside;
        _world.Trace?.Write(now, Name, $"in {asked} as", packet);
        InsideNic.Transmit(packet);

        static NatVerdict Unknown(out TransportAddress inside)
        {
            inside = default;
            return NatVerdict.NoMapping;
        }
    }

    /// <summary>A host inside says that a port is closed: the notification must quote the public address that was asked.</summary>
    private void NotifyOut(Nat nat, Packet packet)
    {
        if (!nat.TryFindExternal(_world.Now, packet.Quoted, packet.Destination, out TransportAddress external))
        {
            _world.Drop(packet, DropReason.NoMapping, Name);
            return;
        }

        packet.Source = external.WithPort(0);
        packet.Quoted = external;
        OutsideNic.Transmit(packet);
    }

    private void Refuse(Packet packet, DropReason reason, bool notify)
    {
        if (notify && packet.Kind == PacketKind.Datagram)
        {
            OutsideNic.Transmit(Notification.Of(_world, packet, packet.Destination));
        }

        _world.Drop(packet, reason, Name);
    }
}
