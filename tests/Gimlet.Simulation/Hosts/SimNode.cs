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

    /// <summary>Starts a node.</summary>
    /// <param name="host">Where it runs.</param>
    /// <param name="identity">Its key.</param>
    /// <param name="options">How it is to be.</param>
    /// <param name="servers">The servers it registers with; the first is home.</param>
    public SimNode(SimHost host, NodeIdentity identity, SimNodeOptions options, params IReadOnlyList<SimServer> servers)
    {
        _host = host;
        _world = host.World;
        Core = new NodeCore(new NodeCoreOptions
        {
            Identity = identity,
            Traversal = options.Traversal,
            Random = _world.Random($"node {host.Name}").Fill,
            Servers = servers.Count,
            Policy = options.Policy,
            OnAccept = options.OnAccept,
        });
        _pump = new DriverPump(_world, this);
        _ipv4 = options.Versions.HasFlag(IpVersions.V4) ? Listen(host.Bind(0, ipv4: true), NodeSocketKind.Main) : null;
        _ipv6 = options.Versions.HasFlag(IpVersions.V6) ? Listen(host.Bind(_ipv4?.Port ?? 0, ipv4: false), NodeSocketKind.Main) : null;
        _links = new SimSignallingLink[servers.Count];
        for (int i = 0; i < servers.Count; i++)
        {
            _links[i] = new SimSignallingLink(this, servers[i], i);
        }

        Core.Start((_ipv4?.Port ?? 0, _ipv6?.Port ?? 0), HostAddresses(), _world.Now);
        host.AddressesChanged += OnAddressesChanged;
        foreach (SimSignallingLink link in _links)
        {
            link.Open();
        }

        Pump();
    }

    public NodeCore Core { get; }

    public PeerId Id => Core.Id;

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

    TimeSpan? ISimDriver.NextTimeout => IsDead || Core.NextTimeout == TimeSpan.MaxValue ? null : Core.NextTimeout;

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
        _pump.Stop();
        _ipv4?.Dispose();
        _ipv6?.Dispose();
        _probe?.Dispose();
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

    void ISimDriver.HandleTimeout(TimeSpan now) => Core.HandleTimeout(now);

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
                Take(news!, now);
            }
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
            Core.HandleDatagram(_world.Now, local, remote, datagram, kind);
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

    private void OnAddressesChanged() => Feed((core, now) => core.SetHostAddresses(HostAddresses(), now));

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
