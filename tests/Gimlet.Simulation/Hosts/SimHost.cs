using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>A machine: interfaces, routes, UDP sockets and the ends of reliable channels.</summary>
internal sealed class SimHost : IPacketHandler
{
    // Linux' ip_local_port_range.
    private const int FirstEphemeralPort = 32768;
    private const int EndEphemeralPort = 61000;

    private readonly World _world;
    private readonly List<Nic> _nics = [];
    private readonly Dictionary<(bool IsIPv4, int Port), SimSocket> _sockets = [];
    private readonly Dictionary<int, Action<ChannelEnd>> _listeners = [];
    private readonly SimRandom _ports;
    private int _nicsEver;

    public SimHost(World world, string name)
    {
        world.Claim(name);
        _world = world;
        Name = name;
        Random = world.Random($"host {name}");
        _ports = world.Random($"ports {name}");
    }

    /// <summary>Raised after an interface came or went, or its addresses changed.</summary>
    public event Action? AddressesChanged;

    public World World => _world;

    public string Name { get; }

    /// <summary>The randomness of whatever runs on this host.</summary>
    public SimRandom Random { get; }

    public IReadOnlyList<Nic> Nics => _nics;

    /// <summary>The link of the first interface.</summary>
    public Link Link => _nics[0].Link;

    /// <summary>A closed port is answered with a notification, as kernels do.</summary>
    public bool AnswersUnreachable { get; set; } = true;

    /// <summary>Sees the destination of every datagram that leaves.</summary>
    public Action<TransportAddress>? Sending { get; set; }

    /// <summary>The first address of the family, with a port.</summary>
    public TransportAddress Address(int port, bool ipv4 = true)
    {
        foreach (Nic nic in _nics)
        {
            TransportAddress address = nic.Address(ipv4);
            if (!address.IsEmpty)
            {
                return address.WithPort(port);
            }
        }

        throw new InvalidOperationException($"{Name} has no IPv{(ipv4 ? 4 : 6)} address.");
    }

    /// <summary>A new interface, with an address of each of the versions that the network has too.</summary>
    public Nic Attach(Network network, IpVersions versions = IpVersions.Both)
    {
        Nic nic = new(_world, $"{Name}.{_nicsEver++}", this, network);
        versions &= network.Versions;
        if (versions.HasFlag(IpVersions.V4))
        {
            nic.AddAddress(network.NewAddress(ipv4: true));
        }

        if (versions.HasFlag(IpVersions.V6))
        {
            nic.AddAddress(network.NewAddress(ipv4: false));
        }

        _nics.Add(nic);
        AddressesChanged?.Invoke();
        return nic;
    }

    /// <summary>The interface is gone, and its addresses with it.</summary>
    public void Detach(Nic nic)
    {
        foreach (TransportAddress address in nic.Addresses.ToArray())
        {
            nic.RemoveAddress(address);
        }

        nic.Link.Cut();
        _ = _nics.Remove(nic);
        AddressesChanged?.Invoke();
    }

    /// <summary>One more address of the family on an interface.</summary>
    public TransportAddress AddAddress(Nic nic, bool ipv4 = true)
    {
        TransportAddress address = nic.Network.NewAddress(ipv4);
        nic.AddAddress(address);
        AddressesChanged?.Invoke();
        return address;
    }

    /// <summary>A UDP socket.</summary>
    /// <param name="port">0 takes a free ephemeral port.</param>
    /// <param name="ipv4">The IP version.</param>
    public SimSocket Bind(int port = 0, bool ipv4 = true)
    {
        while (port == 0 || (port >= FirstEphemeralPort && _sockets.ContainsKey((ipv4, port))))
        {
            port = _ports.Next(FirstEphemeralPort, EndEphemeralPort);
        }

        SimSocket socket = new(this, ipv4, port);
        _sockets.Add((ipv4, port), socket);
        return socket;
    }

    public void Unbind(SimSocket socket) => _ = _sockets.Remove((socket.IsIPv4, socket.Port));

    /// <summary>Takes channels on a port.</summary>
    /// <param name="port">The port.</param>
    /// <param name="onChannel">Called when a channel is open, before any message of it.</param>
    public void Listen(int port, Action<ChannelEnd> onChannel) => _listeners.Add(port, onChannel);

    /// <summary>Stops taking channels on a port; those that are open stay open.</summary>
    public void StopListening(int port) => _ = _listeners.Remove(port);

    public Action<ChannelEnd>? Listener(int port) => _listeners.GetValueOrDefault(port);

    /// <summary>Opens a reliable ordered channel to a listening host.</summary>
    /// <param name="server">The listener's address and port.</param>
    /// <param name="options">Timing; null for the defaults.</param>
    public ChannelEnd Connect(TransportAddress server, ChannelOptions? options = null) =>
        Channel.Connect(this, server, options ?? new ChannelOptions());

    /// <summary>The interface and source address for a destination: on-link, else the first interface that leads elsewhere.</summary>
    public Nic? SelectNic(TransportAddress remote, out TransportAddress source)
    {
        Nic? chosen = null;
        foreach (Nic nic in _nics)
        {
            if (nic.Link.IsCut || nic.Address(remote.IsIPv4).IsEmpty)
            {
                continue;
            }

            if (nic.Network.IsOnLink(remote))
            {
                chosen = nic;
                break;
            }

            chosen ??= nic;
        }

        source = chosen?.Address(remote.IsIPv4) ?? default;
        return chosen;
    }

    internal bool Send(SimSocket socket, TransportAddress remote, ReadOnlySpan<byte> datagram, TransportAddress local, int timeToLive)
    {
        if (datagram.Length > Packet.MaxBytes)
        {
            throw new ArgumentException($"A datagram of {datagram.Length} bytes would be fragmented.", nameof(datagram));
        }

        if (remote.IsIPv4 != socket.IsIPv4 || remote.Port == 0)
        {
            throw new ArgumentException($"A socket of the other IP version, or no port: '{remote}'.", nameof(remote));
        }

        TransportAddress source = local;
        Nic? nic = local.IsEmpty ? SelectNic(remote, out source) : Owner(local);
        if (nic is null || nic.Link.IsCut)
        {
            return false;
        }

        Sending?.Invoke(remote);
        Packet packet = _world.Packets.Rent();
        packet.Kind = PacketKind.Datagram;
        packet.Source = source.WithPort(socket.Port);
        packet.Destination = remote;
        packet.TimeToLive = timeToLive;
        packet.SetPayload(datagram);
        _world.Trace?.Write(_world.Now, Name, "sends", packet);
        if (Owner(remote) is { } self)
        {
            // To oneself, without a wire.
            self.Link.Down.Carry(packet);
        }
        else
        {
            nic.Transmit(packet);
        }

        return true;
    }

    void IPacketHandler.Receive(Nic nic, Packet packet)
    {
        if (Owner(packet.Destination) is null)
        {
            _world.Drop(packet, DropReason.NoRoute, Name);
        }
        else if (!_sockets.TryGetValue((packet.Destination.IsIPv4, packet.Destination.Port), out SimSocket? socket))
        {
            if (AnswersUnreachable && packet.Kind == PacketKind.Datagram)
            {
                nic.Transmit(Notification.Of(_world, packet, packet.Destination));
            }

            _world.Drop(packet, DropReason.NoSocket, Name);
        }
        else
        {
            _world.Trace?.Write(_world.Now, Name, "receives", packet);
            if (packet.Kind == PacketKind.Datagram)
            {
                socket.OnDatagram?.Invoke(packet.Destination, packet.Source, packet.Payload);
            }
            else
            {
                socket.OnUnreachable?.Invoke(packet.Quoted);
            }

            _world.Packets.Return(packet);
        }
    }

    private Nic? Owner(TransportAddress address)
    {
        foreach (Nic nic in _nics)
        {
            foreach (TransportAddress mine in nic.Addresses)
            {
                if (mine.SameAddress(address))
                {
                    return nic;
                }
            }
        }

        return null;
    }
}
