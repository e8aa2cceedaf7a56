using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>The IP versions of a network, host or router.</summary>
[Flags]
internal enum IpVersions
{
    None = 0,
    V4 = 1,
    V6 = 2,
    Both = V4 | V6,
}

/// <summary>
/// A segment: everybody in it reaches everybody else in it directly. Packets for addresses elsewhere take the longest route
/// that is known here, then the gateway.
/// </summary>
internal sealed class Network
{
    /// <summary>The first host's number in a LAN; below it are the router and what people configure by hand.</summary>
    private const int FirstHost = 10;

    private readonly World _world;
    private readonly Dictionary<TransportAddress, Nic> _nics = [];
    private readonly List<(AddressPrefix Prefix, Nic Via)> _routes = [];
    private readonly bool _isInternet;
    private int _hosts = FirstHost;
    private int _sites;

    public Network(World world, string name, AddressPrefix? ipv4, AddressPrefix? ipv6)
    {
        _world = world;
        Name = name;
        IPv4 = ipv4;
        IPv6 = ipv6;
    }

    private Network(World world)
        : this(world, "internet", AddressPrefix.Parse("80.0.0.0/8"), AddressPrefix.Parse("2a02:c0::/32")) =>
        _isInternet = true;

    public string Name { get; }

    public AddressPrefix? IPv4 { get; }

    public AddressPrefix? IPv6 { get; }

    /// <summary>Where packets for elsewhere go; null at the top.</summary>
    public Nic? Gateway { get; set; }

    public IpVersions Versions => (IPv4 is null ? IpVersions.None : IpVersions.V4) | (IPv6 is null ? IpVersions.None : IpVersions.V6);

    /// <summary>Routers inside this network that a packet passes: what a low time to live dies on.</summary>
    public int Hops { get; set; }

    /// <summary>The public internet. Six hops: a packet that is to open one's own NAT but not to reach the peer's has room to die.</summary>
    public static Network CreateInternet(World world) => new(world) { Hops = 6 };

    /// <summary>A host in this network with one interface.</summary>
    /// <param name="name">Unique in the world.</param>
    /// <param name="versions">Which of the network's IP versions it has.</param>
    public SimHost AddHost(string name, IpVersions versions = IpVersions.Both)
    {
        SimHost host = new(_world, name);
        _ = host.Attach(this, versions);
        return host;
    }

    /// <summary>An address that nobody has yet. Public ones lie in different sites, so none shares a /24 or /48 with another.</summary>
    public TransportAddress NewAddress(bool ipv4)
    {
        AddressPrefix prefix = (ipv4 ? IPv4 : IPv6) ?? throw new InvalidOperationException($"{Name} has no IPv{(ipv4 ? 4 : 6)}.");
        int number = _isInternet ? ++_sites : _hosts++;
        return (_isInternet, ipv4) switch
        {
            (true, true) => prefix.Address((UInt128)((uint)number << 8) + FirstHost),
            (true, false) => prefix.Address(((UInt128)(uint)number << 80) + FirstHost),
            _ => prefix.Address((UInt128)number),
        };
    }

    /// <summary>A /64 (IPv6) or public /24 (IPv4) of the internet for a LAN behind a router that does not translate.</summary>
    public AddressPrefix NewSitePrefix(bool ipv4)
    {
        int number = ++_sites;
        return ipv4
            ? new AddressPrefix(AddressPrefix.Parse("81.0.0.0/8").Address((UInt128)((uint)number << 8)), 24)
            : new AddressPrefix(AddressPrefix.Parse("2a02:c1::/32").Address((UInt128)(uint)number << 80), 64);
    }

    public void AddRoute(AddressPrefix prefix, Nic via)
    {
        _routes.Add((prefix, via));
        _routes.Sort(static (x, y) => y.Prefix.Length - x.Prefix.Length);
    }

    public void Register(TransportAddress address, Nic nic) => _nics.Add(address.WithPort(0), nic);

    public void Unregister(TransportAddress address) => _ = _nics.Remove(address.WithPort(0));

    /// <summary>True when the address is one of this network itself: no gateway is asked for it.</summary>
    public bool IsOnLink(TransportAddress address) => !_isInternet
        && ((IPv4 is { } v4 && v4.Contains(address)) || (IPv6 is { } v6 && v6.Contains(address)));

    /// <summary>Who takes a packet for this address; null when nobody does.</summary>
    public Nic? Resolve(TransportAddress destination, Nic from)
    {
        if (_nics.TryGetValue(destination.WithPort(0), out Nic? nic))
        {
            return nic;
        }

        if (IsOnLink(destination))
        {
            return null;
        }

        foreach ((AddressPrefix prefix, Nic via) in _routes)
        {
            if (prefix.Contains(destination))
            {
                return via == from ? null : via;
            }
        }

        return Gateway == from ? null : Gateway;
    }

    public void Forward(Packet packet, Nic from)
    {
        packet.TimeToLive -= Hops;
        if (packet.TimeToLive <= 0)
        {
            _world.Drop(packet, DropReason.TimeToLive, Name);
        }
        else if (Resolve(packet.Destination, from) is { } to)
        {
            to.Link.Down.Carry(packet);
        }
        else
        {
            _world.Drop(packet, DropReason.NoRoute, Name);
        }
    }
}
