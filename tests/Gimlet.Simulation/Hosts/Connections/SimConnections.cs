using System.Buffers.Binary;
using System.Net.Security;
using Gimlet.Connections;
using Gimlet.Hosting;
using Gimlet.Node;
using Gimlet.Peers;
using Gimlet.Quic;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Endpoints;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>
/// A simulated node's connections: the real <see cref="PeerTable"/>, <see cref="EndpointCore{T}"/> and <see cref="ConnectionCore"/>, joined as <c>NodeHost</c>,
/// <c>QuicReceiver</c> and <c>ConnectionTable</c> join them. What those hand to another thread waits here in one queue, in order.
/// </summary>
internal sealed partial class SimConnections : IDisposable
{
    private static readonly ConnectionSettings Settings = new()
    {
        Protection = ProtectionSelection.Select(ProtectionChoice.Automatic).Provider,
        GimletPaths = true,

        // NodeQuicOptions.
        IdleTimeout = TimeSpan.FromSeconds(30),
        KeepAlive = TimeSpan.FromSeconds(5),
    };

    private readonly TlsIdentity _identity;
    private readonly Action<Span<byte>> _random;
    private readonly TlsServerOptions _serverTls;
    private readonly List<SimQuic> _quics = [];
    private readonly List<SimQuic> _touched = [];
    private readonly List<SimConnection> _members = [];
    private readonly List<SimDial> _dials = [];
    private readonly Queue<Action> _posted = new();
    private readonly byte[] _answer = new byte[StatelessAnswers.MaxLength];
    private readonly byte[] _datagram = new byte[Packet.MaxBytes];

    public SimConnections(SimNode node, NodeIdentity identity, IReadOnlyList<string> protocols)
    {
        Node = node;
        _identity = SteadyKey.IdentityOf(identity);
        _random = node.Host.World.Random($"quic {node.Host.Name} {node.Run}").Fill;
        Span<byte> instance = stackalloc byte[sizeof(ulong)];
        _random(instance);
        Instance = BinaryPrimitives.ReadUInt64BigEndian(instance) | 1;
        Paths = new SimPaths(node);
        Peers = new PeerTable(node.Core);
        Endpoint = new EndpointCore<SimQuic>(
            Settings.Protection, identity.DeriveSecret("gimlet.v1 stateless reset", QuicEndpointOptions.StatelessResetKeyLength), answersPerSecond: 1000, _random);
        Endpoint.SetServer(new ServerLimits(MaxConnections: 1000, MaxHalfOpen: 100, RetryThreshold: int.MaxValue, static () => false));
        _serverTls = new TlsServerOptions
        {
            ApplicationProtocols = [.. protocols.Select(static p => new SslApplicationProtocol(p))],
            TransportParameters = default,
            DecideCertificate = static _ => CertificateVerdict.Accept,
            Identity = _identity,
        };
    }

    public SimNode Node { get; }

    public TimeSpan Now => Node.Host.World.Now;

    /// <summary>The number of this process.</summary>
    public ulong Instance { get; }

    public PeerTable Peers { get; }

    public SimPaths Paths { get; }

    public EndpointCore<SimQuic> Endpoint { get; }

    /// <summary>Makes what uses a connection that a peer made; null closes it.</summary>
    public Func<SimConnection, ISimApplication?> Accept { get; set; } = static _ => null;

    /// <summary>Connections that were begun and have not ended.</summary>
    public IReadOnlyList<SimConnection> All => _members;

    /// <summary>QUIC connections that are not forgotten, with those that are closing.</summary>
    public int QuicCount => _quics.Count;

    public int DialCount => _dials.Count;

    /// <summary>Connections that were handed out so far.</summary>
    public int Opened { get; private set; }

    public TimeSpan? NextTimeout
    {
        get
        {
            TimeSpan next = Peers.NextTimeout;
            foreach (SimQuic quic in _quics)
            {
                next = quic.NextTimeout is { } due && due < next ? due : next;
            }

            foreach (SimDial dial in _dials)
            {
                next = dial.JoinUntil < next ? dial.JoinUntil : next;
            }

            return next;
        }
    }

    public void HandleTimeout(TimeSpan now)
    {
        if (now >= Peers.NextTimeout)
        {
            Peers.HandleTimeout(now);
        }

        foreach (SimQuic quic in _quics)
        {
            if (now >= quic.NextTimeout)
            {
                Touch(quic);
            }
        }

        foreach (SimDial dial in _dials.ToArray())
        {
            if (now >= dial.JoinUntil)
            {
                StartOver(dial, now);
            }
        }
    }

    /// <summary>News of the core; as NodeHost.TellAll.</summary>
    public void Handle(NodeEvent news, TimeSpan now)
    {
        Peers.Handle(news, now);
        switch (news)
        {
            case CallAdmitted admitted:
                _ = Paths.ToRelay(admitted.Peer, admitted.Session);
                break;
            case CallRouted routed:
                _ = Paths.ToRelay(routed.Peer, routed.Session);
                if (_dials.Find(d => d.CurrentCall == routed.Handle) is { } dial)
                {
                    dial.IsRouted = true;
                }

                break;
            case CallHeard heard:
                Paths.Vouch(heard.Remote, heard.Peer);
                break;
            case CallConnected connected:
                Paths.Vouch(connected.Path.Remote, connected.Peer);
                break;
            case CallIntroduced or CallSharesPath or CallFailed { LeavesRelay: true } when _dials.Find(d => d.CurrentCall == ((CallEvent)news).Handle) is { } introduced:
                introduced.IsIntroduced = true;
                break;
            default:
                break;
        }
    }

    /// <summary>Everything that waits is done.</summary>
    /// <returns>True when anything was: the core may have more to give.</returns>
    public bool Drain(TimeSpan now)
    {
        bool any = false;
        for (bool more = true; more; any |= more)
        {
            more = false;
            while (_touched.Count > 0)
            {
                SimQuic quic = _touched[^1];
                _touched.RemoveAt(_touched.Count - 1);
                quic.Drain(now);
            }

            while (_posted.TryDequeue(out Action? posted))
            {
                more = true;
                posted();
            }

            while (Peers.PollEvent(out PeerEvent? news))
            {
                more = true;
                Node.Host.World.Trace?.Write(now, Node.Host.Name, $"# {news}");
                Handle(news!);
            }

            ReceiveHeld(now);

            foreach (SimDial dial in _dials.ToArray())
            {
                more |= dial.WantsPath && TryBegin(dial);
            }
        }

        return any;
    }

    /// <summary>A datagram of QUIC came from an address.</summary>
    public void HandleDatagram(TransportAddress remote, ReadOnlySpan<byte> datagram, TimeSpan now)
    {
        datagram.CopyTo(_datagram);
        bool mayBegin = Paths.MayBegin(remote, out PeerId peer);
        bool isRefused = !mayBegin && !Endpoint.TryRoute(datagram, out _);
        Receive(Paths.To(remote), _datagram.AsSpan(0, datagram.Length), now, mayBegin);
        if (isRefused && !peer.IsEmpty && HeldInitials.IsInitial(datagram))
        {
            Paths.Held.Hold(new HeldInitial(peer, default, remote, EcnMark.NotEct, datagram.ToArray(), now));
        }
    }

    /// <summary>As NodeHost.ReceiveHeld.</summary>
    private void ReceiveHeld(TimeSpan now)
    {
        while (Paths.Held.TryTake(now, Paths.IsExpected, out HeldInitial held))
        {
            Receive(Paths.To(held.Remote), held.Bytes, now, Paths.MayBegin(held.Remote, out _));
        }
    }

    /// <summary>A binary frame of a server; as NodeHost.LinkRelayed.</summary>
    public void HandleRelayed(int session, byte[] frame, TimeSpan now)
    {
        if (!RelayFrame.TryRead(frame, out RelayFrame header) || !Paths.TryFindRelay(header.Peer, session, out QuicPath path))
        {
            return;
        }

        for (int start = header.HeaderLength; start < frame.Length; start += header.SegmentSize)
        {
            Receive(path, frame.AsSpan(start, Math.Min(header.SegmentSize, frame.Length - start)), now, Paths.IsExpected(header.Peer));
        }
    }

    public void Touch(SimQuic quic)
    {
        if (!quic.IsTouched && !quic.IsOver)
        {
            quic.IsTouched = true;
            _touched.Add(quic);
        }
    }

    public void Remove(SimQuic quic)
    {
        _ = _quics.Remove(quic);
        Endpoint.Admission.Remove();
    }

    /// <summary>Done when the connections have been drained.</summary>
    public void Post(Action action) => _posted.Enqueue(action);

    public string Describe(QuicPath path) => path.Value < 0 ? "relay" : Paths.AddressOf(path).ToString();

    /// <summary>The process is gone.</summary>
    public void Dispose()
    {
        foreach (SimQuic quic in _quics.ToArray())
        {
            quic.Abandon();
        }

        _posted.Clear();
        _members.Clear();
        Endpoint.Dispose();
    }

    // As QuicReceiver.
    private void Receive(QuicPath path, Span<byte> datagram, TimeSpan now, bool mayBegin)
    {
        if (Endpoint.TryRoute(datagram, out SimQuic? known))
        {
            known.HandleDatagram(now, path, datagram);
            return;
        }

        Span<byte> address = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(address, path.Value);
        StrangerVerdict<SimQuic> verdict = Endpoint.HandleStranger(now, datagram, new StrangerAddress(address, sizeof(int)), _answer, mayBegin);
        switch (verdict.Action)
        {
            case StrangerAction.Answer:
                _ = Paths.Send(path, _answer.AsSpan(0, verdict.AnswerLength), verdict.AnswerLength, EcnMark.NotEct, out _);
                break;
            case StrangerAction.Reset:
                verdict.Connection!.HandleStatelessReset(now);
                break;
            case StrangerAction.Accept:
                Begin(path, datagram, now, verdict.Start, address);
                break;
            default:
                Node.Host.World.Trace?.Write(now, Node.Host.Name, $"# quic drops {datagram.Length} B from {Describe(path)}: {verdict.Reason}");
                break;
        }
    }

    private void Begin(QuicPath path, Span<byte> datagram, TimeSpan now, in ServerStart start, ReadOnlySpan<byte> host)
    {
        var quic = new SimQuic(this, isServer: true) { ClientHost = host.ToArray() };
        var id = new PathId(path.Value);
        quic.Connection = new SimConnection(this, quic, default, string.Empty);
        quic.Start(ConnectionCore.Accept(now, id, Settings, _serverTls, quic, _random, start), id);
        quic.RouteOriginal(start.Destination);
        _quics.Add(quic);

        // As ConnectionTable.Begun: a direct path that works already carries the handshake's end.
        if (Peers.DirectPathOf(Paths.PeerOf(path)) is { } direct)
        {
            _ = quic.TryUsePath(Paths.To(direct.Remote));
        }

        quic.HandleDatagram(now, path, datagram);
        if (!quic.HasAuthentic)
        {
            quic.Abandon();
        }
    }

    private SimQuic Connect(PeerId peer, string protocol, QuicPath path)
    {
        var tls = new TlsClientOptions
        {
            ApplicationProtocols = [new SslApplicationProtocol(protocol)],
            TransportParameters = default,
            DecideCertificate = shown => PeerId.FromPublicKey(shown.SubjectPublicKeyInfo.Span) == peer
                ? CertificateVerdict.Accept
                : CertificateVerdict.Refuse(TlsAlert.BadCertificate, "the key is not the peer's"),
            Identity = _identity,
        };
        var quic = new SimQuic(this, isServer: false);
        quic.Connection = new SimConnection(this, quic, peer, protocol);
        Endpoint.Admission.AddClient();
        var id = new PathId(path.Value);
        quic.Start(ConnectionCore.Connect(Now, id, Settings, tls, quic, _random, default), id);
        _quics.Add(quic);
        return quic;
    }
}
