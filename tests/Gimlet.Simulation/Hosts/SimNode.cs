using System.Net;
using Gimlet.Calls;
using Gimlet.Node;
using Gimlet.Serverless;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Stun.Client;

namespace Gimlet.Simulation;

/// <summary>How a simulated node is started.</summary>
internal sealed record SimNodeOptions
{
    public TraversalOptions Traversal { get; init; } = new();

    public PeerPolicy Policy { get; init; } = PeerPolicy.Everyone;

    public bool OnAccept { get; init; }

    /// <summary>The application protocols that it serves; with any, it has connections.</summary>
    public IReadOnlyList<string> Protocols { get; init; } = [];

    /// <summary>0 for the first process on its host, 1 for the next: each draws numbers of its own.</summary>
    public int Run { get; init; }

    /// <summary>The IP versions that it has sockets of.</summary>
    public IpVersions Versions { get; init; } = IpVersions.Both;
}

/// <summary>The real <see cref="NodeCore"/> on a simulated host: sockets, a channel to each server, a timer, and a record of the news.</summary>
internal sealed class SimNode : ISimDriver
{
    private readonly World _world;
    private readonly SimHost _host;
    private readonly SimSocket? _ipv4;
    private readonly SimSocket? _ipv6;
    private readonly SimSignallingLink[] _links;
    private readonly DriverPump _pump;
    private readonly Dictionary<CallId, SimCall> _calls = [];
    private SimSocket? _probe;
    private List<IPAddress> _addresses;

    /// <summary>Starts a node.</summary>
    /// <param name="host">Where it runs.</param>
    /// <param name="identity">Its key.</param>
    /// <param name="options">How it is to be.</param>
    /// <param name="servers">The servers it registers with; the first is home.</param>
    public SimNode(SimHost host, NodeIdentity identity, SimNodeOptions options, params IReadOnlyList<SimServer> servers)
    {
        _host = host;
        _world = host.World;
        Run = options.Run;
        Core = new NodeCore(new NodeCoreOptions
        {
            Identity = identity,
            Traversal = options.Traversal,
            Random = _world.Random(Run == 0 ? $"node {host.Name}" : $"node {host.Name} {Run}").Fill,
            Servers = servers.Count,
            Policy = options.Policy,
            OnAccept = options.OnAccept,
            Protocols = options.Protocols,
        });
        Connections = options.Protocols.Count > 0 ? new SimConnections(this, identity, options.Protocols) : null;
        _pump = new DriverPump(_world, this);
        _ipv4 = options.Versions.HasFlag(IpVersions.V4) ? Listen(host.Bind(0, ipv4: true), NodeSocketKind.Main) : null;
        _ipv6 = options.Versions.HasFlag(IpVersions.V6) ? Listen(host.Bind(_ipv4?.Port ?? 0, ipv4: false), NodeSocketKind.Main) : null;
        _links = new SimSignallingLink[servers.Count];
        for (int i = 0; i < servers.Count; i++)
        {
            _links[i] = new SimSignallingLink(this, servers[i], i);
        }

        _addresses = HostAddresses();
        Core.Start((_ipv4?.Port ?? 0, _ipv6?.Port ?? 0), _addresses, _world.Now);
        host.AddressesChanged += OnAddressesChanged;
        foreach (SimSignallingLink link in _links)
        {
            link.Open();
        }

        Pump();
    }

    public NodeCore Core { get; }

    public PeerId Id => Core.Id;

    /// <summary>Which process on its host it is.</summary>
    public int Run { get; }

    /// <summary>Its QUIC connections and who uses which path; null for a node that only makes calls.</summary>
    public SimConnections? Connections { get; }

    public SimHost Host => _host;

    public IReadOnlyList<SimSignallingLink> Links => _links;

    /// <summary>All news but those of calls, with their times.</summary>
    public List<(TimeSpan At, NodeEvent News)> News { get; } = [];

    public IReadOnlyCollection<SimCall> Calls => _calls.Values;

    /// <summary>Registered with its home server.</summary>
    public bool IsRegistered => Core.IsRegistered(0);

    /// <summary>Registered, with every STUN answer that will come.</summary>
    public bool IsReady => IsRegistered && Core.IsGatheringComplete;

    /// <summary>Hears nothing and sends nothing from now on, like a process that was killed.</summary>
    public bool IsDead { get; private set; }

    TimeSpan? ISimDriver.NextTimeout
    {
        get
        {
            TimeSpan next = Core.NextTimeout;
            next = Connections?.NextTimeout is { } due && due < next ? due : next;
            return IsDead || next == TimeSpan.MaxValue ? null : next;
        }
    }

    /// <summary>Calls a peer.</summary>
    public SimCall Dial(PeerId peer)
    {
        CallId id = Core.NewCallId();
        Core.Dial(id, peer, _world.Now);
        Pump();
        return Call(id);
    }

    /// <summary>Connects to an address that was exchanged by hand.</summary>
    public SimCall DialServerless(TransportAddress target, PeerId expected, ServerlessTimers timers)
    {
        CallId id = Core.NewCallId();
        Core.DialServerless(id, target, expected, timers, _world.Now);
        Pump();
        return Call(id);
    }

    public bool Ping(SimCall call, uint sequence)
    {
        bool sent = Core.TryPing(call.Handle, sequence, _world.Now);
        Pump();
        return sent;
    }

    public void Hangup(SimCall call)
    {
        Core.Hangup(call.Handle, 0, _world.Now);
        Pump();
    }

    /// <summary>The process is killed: nobody is told.</summary>
    public void Kill()
    {
        IsDead = true;
        _host.AddressesChanged -= OnAddressesChanged;
        _pump.Stop();
        _ipv4?.Dispose();
        _ipv6?.Dispose();
        _probe?.Dispose();
        Connections?.Dispose();
        foreach (SimSignallingLink link in _links)
        {
            link.Abandon();
        }
    }

    /// <summary>A link of this node has something for the core.</summary>
    public void Feed(Action<NodeCore, TimeSpan> action)
    {
        if (!IsDead)
        {
            action(Core, _world.Now);
            Pump();
        }
    }

    /// <summary>A binary frame of a server.</summary>
    public void Relayed(int session, byte[] frame)
    {
        if (!IsDead)
        {
            Connections?.HandleRelayed(session, frame, _world.Now);
            Pump();
        }
    }

    /// <summary>Sends a datagram of a connection; false where a kernel would refuse.</summary>
    public bool SendDatagram(TransportAddress remote, ReadOnlySpan<byte> datagram) =>
        (remote.IsIPv4 ? _ipv4 : _ipv6) is { } socket && socket.Send(remote, datagram);

    /// <summary>The application does something.</summary>
    public void Act(Action action)
    {
        if (!IsDead)
        {
            action();
            Pump();
        }
    }

    void ISimDriver.HandleTimeout(TimeSpan now)
    {
        if (now >= Core.NextTimeout)
        {
            Core.HandleTimeout(now);
        }

        Connections?.HandleTimeout(now);
    }

    void ISimDriver.Drain(TimeSpan now)
    {
        bool more = true;
        while (more)
        {
            more = false;
            while (Core.PollDatagram(out Datagram datagram))
            {
                more = true;
                Send(datagram, now);
            }

            while (Core.PollSignal(out int session, out SignalMessage? message))
            {
                more = true;
                _links[session].Send(SignalCodec.Write(message!));
            }

            while (Core.PollEvent(out NodeEvent? news))
            {
                more = true;
                Connections?.Handle(news!, now);
                Take(news!, now);
            }

            more |= Connections?.Drain(now) ?? false;
        }
    }

    private void Pump()
    {
        if (!IsDead)
        {
            _pump.Pump();
        }
    }

    private SimSocket Listen(SimSocket socket, NodeSocketKind kind)
    {
        socket.OnDatagram = (local, remote, datagram) =>
        {
            // RFC 9443: 64 to 127 and 192 to 255 are QUIC's.
            if (Connections is not null && kind == NodeSocketKind.Main && datagram.Length > 0 && (datagram[0] & 0x40) != 0)
            {
                Connections.HandleDatagram(remote, datagram, _world.Now);
            }
            else
            {
                Core.HandleDatagram(_world.Now, local, remote, datagram, kind);
            }

            Pump();
        };
        return socket;
    }

    private List<IPAddress> HostAddresses()
    {
        List<IPAddress> addresses = [];
        foreach (Nic nic in _host.Nics)
        {
            foreach (TransportAddress address in nic.Addresses)
            {
                addresses.Add(address.ToIPAddress());
            }
        }

        return addresses;
    }

    // As NodeHost.OnNetworkAddressChanged.
    private void OnAddressesChanged()
    {
        List<IPAddress> before = _addresses;
        _addresses = HostAddresses();
        bool isGone = before.Except(_addresses).Any();
        Feed((core, now) =>
        {
            core.SetHostAddresses(_addresses, now);
            if (isGone)
            {
                Connections?.Peers.HandleNetworkChange(now);
            }
        });
        foreach (SimSignallingLink link in isGone && Connections is not null && !IsDead ? _links : [])
        {
            link.RestartAtOnce();
        }
    }

    private void Send(in Datagram datagram, TimeSpan now)
    {
        SimSocket? socket = datagram.Socket == NodeSocketKind.Probe
            ? _probe
            : datagram.Remote.IsIPv4 ? _ipv4 : _ipv6;
        TransportAddress remote = datagram.Remote;
        bool sent = socket is not null && socket.Send(remote, datagram.Bytes, datagram.From);
        Core.Return(datagram);
        if (!sent)
        {
            Core.HandleSendFailure(now, remote, "no route to that address");
        }
    }

    private void Take(NodeEvent news, TimeSpan now)
    {
        if (news is CallEvent about)
        {
            _world.Trace?.Write(now, _host.Name, $"# {news}");
            Call(about.Handle).Apply(about, now);
            return;
        }

        _world.Trace?.Write(now, _host.Name, $"# {news}");
        News.Add((now, news));
        switch (news)
        {
            case StunServersNamed named:
                Core.AddStunTargets(Resolve(_links[named.Session].Server, named.Servers), now);
                break;
            case SessionGivenUp given:
                _links[given.Session].Restart(given.Reason);
                break;
            case ProbeSocketNeeded:
                _probe ??= Listen(_host.Bind(), NodeSocketKind.Probe);
                break;
            default:
                break;
        }
    }

    private SimCall Call(CallId handle)
    {
        if (!_calls.TryGetValue(handle, out SimCall? call))
        {
            call = new SimCall(handle);
            _calls.Add(handle, call);
        }

        return call;
    }

    /// <summary>The name service of the world: an empty host is the server that was dialled.</summary>
    private static IEnumerable<StunTarget> Resolve(SimServer server, IReadOnlyList<string> names)
    {
        foreach (string name in names)
        {
            int port = int.Parse(name.AsSpan(name.LastIndexOf(':') + 1));
            foreach (TransportAddress address in server.Resolve(port))
            {
                yield return new StunTarget(new StunServerAddress(SimRendezvous.Name, port), address);
            }
        }
    }
}
