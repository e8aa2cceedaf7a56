using System.Net.Security;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <summary>
/// One QUIC connection without a socket, a clock or a lock. <c>Handle…</c> and the application's methods feed it; then <see cref="TryPollTransmit"/>,
/// <see cref="TryPollEvent"/> and <c>Streams.TryPollEvent</c> are drained until they are false, and <see cref="NextTimeout"/> is read.
/// Not thread-safe. <c>now</c> never goes back.
/// </summary>
/// <remarks>
/// One file per concern: <c>.Receive</c> (datagrams to packets), <c>.Frames</c> (packets to what they mean), <c>.Handshake</c> (TLS, keys, parameters),
/// <c>.Send</c> (what goes out next), <c>.Packets</c> (how it is written), <c>.Paths</c> (validation and migration),
/// <c>.OwnedPaths</c> (paths between nodes, which their owner chooses), <c>.Copies</c> (frames that go two ways), <c>.Probing</c> (challenges), <c>.Recovery</c> (what was acknowledged or
/// lost, and timers), <c>.Close</c> (the end).
/// </remarks>
internal sealed partial class ConnectionCore : IDisposable
{
    /// <summary>
    /// The length of the ids that we give out, in bytes. RFC 9000 section 5.1 leaves it to us: 8 random bytes make guessing one of a million
    /// connections a matter of 2^44 datagrams, and cost less per packet than the 20 that are permitted.
    /// </summary>
    public const int LocalIdLength = 8;

    private readonly ConnectionSettings _settings;
    private readonly IConnectionRoutes _routes;
    private readonly Action<Span<byte>> _random;
    private readonly Queue<ConnectionEvent> _events = new();
    private readonly ForgeryCount _forgeries;
    private readonly LossDetection _loss;
    private readonly PacketSpace _initial;
    private readonly PacketSpace _handshake;
    private readonly PacketSpace _application;
    private readonly IdleTimer _idle;
    private readonly LocalConnectionIds _localIds;
    private readonly RemoteConnectionIds _remoteIds;
    private readonly ConnectionId _localId;
    private readonly bool _isSpinning;
    private IConnectionTrace? _trace;

    private ConnectionCore(
        TimeSpan now,
        PathId path,
        EndpointRole role,
        ConnectionSettings settings,
        IConnectionRoutes routes,
        Action<Span<byte>> random,
        bool isAddressValidated)
    {
        Role = role;
        _settings = settings;
        _routes = routes;
        _random = random;
        _forgeries = new ForgeryCount(settings.AeadLimits);
        _localId = routes.Issue(out StatelessResetToken token);
        _localToken = token;
        _localIds = new LocalConnectionIds(routes, _localId);
        _remoteIds = new RemoteConnectionIds(routes, LocalParameters.ActiveConnectionIdLimit);
        _initial = new PacketSpace(PacketNumberSpace.Initial, LocalParameters.MaxAckDelay);
        _handshake = new PacketSpace(PacketNumberSpace.Handshake, LocalParameters.MaxAckDelay);
        _application = new PacketSpace(PacketNumberSpace.Application, LocalParameters.MaxAckDelay);
        _idle = new IdleTimer(now, settings.IdleTimeout, settings.KeepAlive);
        _handshakeDeadline = now + settings.HandshakeTimeout;
        _loss = new LossDetection(_recoverySettings, role, this, random);
        Streams = new StreamSet(role, settings.ToStreamSettings());
        _incoming = new DatagramQueue(settings.DatagramQueueBytes);
        _outgoing = new DatagramQueue(settings.DatagramQueueBytes);

        // RFC 9000 section 17.4: "it is RECOMMENDED that endpoints set the spin bit to a random value either chosen independently for each packet or
        // chosen independently for each connection ID" where it is not used.
        Span<byte> bit = stackalloc byte[1];
        random(bit);
        _isSpinning = (bit[0] & 1) != 0;

        // RFC 9000 section 8.1: a client knows the address it dialled; a server sends three times what it got until it knows.
        InitialPath = path;
        _current = AddPath(path, isOurs: true, isLifted: role == EndpointRole.Client || isAddressValidated);
        _current.IsValidated = true;
        _current.IsResultTold = true;
    }

    /// <summary>Begins a connection; the first flight is ready to be polled.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="path">Where the first flight goes.</param>
    /// <param name="settings">How it behaves.</param>
    /// <param name="tls">TLS; its <see cref="TlsOptions.TransportParameters"/> are ignored, the connection makes them.</param>
    /// <param name="routes">The endpoint's table.</param>
    /// <param name="random">Fills a span with random bytes.</param>
    /// <param name="token">What a NEW_TOKEN frame of the server brought, or empty.</param>
    public static ConnectionCore Connect(
        TimeSpan now,
        PathId path,
        ConnectionSettings settings,
        TlsClientOptions tls,
        IConnectionRoutes routes,
        Action<Span<byte>> random,
        ReadOnlyMemory<byte> token = default)
    {
        var core = new ConnectionCore(now, path, EndpointRole.Client, settings, routes, random, isAddressValidated: true);
        core.StartClient(now, tls, token);
        return core;
    }

    /// <summary>Accepts a connection. The datagram with the client's Initial is then given to <see cref="HandleDatagram"/>.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="path">Where the Initial came from.</param>
    /// <param name="settings">How it behaves.</param>
    /// <param name="tls">TLS; its <see cref="TlsOptions.TransportParameters"/> are ignored.</param>
    /// <param name="routes">The endpoint's table.</param>
    /// <param name="random">Fills a span with random bytes.</param>
    /// <param name="start">What the endpoint knows of the client's Initial.</param>
    public static ConnectionCore Accept(
        TimeSpan now,
        PathId path,
        ConnectionSettings settings,
        TlsServerOptions tls,
        IConnectionRoutes routes,
        Action<Span<byte>> random,
        in ServerStart start)
    {
        var core = new ConnectionCore(now, path, EndpointRole.Server, settings, routes, random, start.IsAddressValidated);
        core.StartServer(now, tls, start);
        return core;
    }

    /// <summary>Which side this is.</summary>
    public EndpointRole Role { get; }

    /// <summary>The streams: opened, read and written through this; drain its events as well.</summary>
    public StreamSet Streams { get; }

    /// <summary>Both Finished are there: peer and protocol are authenticated.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>RFC 9001 section 4.1.2.</summary>
    public bool IsConfirmed => _loss.IsHandshakeConfirmed;

    /// <summary>Why it ended, or null.</summary>
    public CloseReason? Closed { get; private set; }

    /// <summary>The Destination Connection ID of the client's very first Initial: what both sides call the connection in traces.</summary>
    public ConnectionId OriginalDestination { get; private set; }

    /// <summary>After <see cref="ConnectionEventKind.Connected"/>.</summary>
    public SslApplicationProtocol ApplicationProtocol => _tls.ApplicationProtocol;

    /// <summary>After <see cref="ConnectionEventKind.Connected"/>; null for a client that showed nothing.</summary>
    public PeerCertificate? Peer => _tls.Peer;

    /// <summary>The host name that the client asked for; a server's, or null.</summary>
    public string? ServerName => (_tls as TlsServer)?.ServerName;

    /// <summary>The peer's transport parameters, once they came.</summary>
    public TransportParameters? PeerParameters { get; private set; }

    /// <summary>Whether both sides follow docs/protocol.md section 5: any path, either side.</summary>
    public bool HasGimletPaths => _settings.GimletPaths && PeerParameters is { GimletPaths: > 0 };

    /// <summary>The path that data goes out on.</summary>
    public PathId CurrentPath => _current.Id;

    /// <summary>The path that the first flight went out on, or came by.</summary>
    public PathId InitialPath { get; }

    /// <summary>The paths that there are, with those that packets of the peer only came by.</summary>
    public IReadOnlyList<ConnectionPath> Paths => _paths;

    /// <summary>What is counted.</summary>
    public ConnectionCounters Counters { get; } = new();

    /// <summary>Takes the next event.</summary>
    public bool TryPollEvent(out ConnectionEvent next) => _events.TryDequeue(out next);

    /// <summary>What can be told now.</summary>
    public ConnectionStatistics GetStatistics() => new(
        _current.Recovery.Rtt.Smoothed,
        _current.Recovery.Rtt.Minimum,
        _current.Recovery.CongestionWindow,
        _current.Recovery.BytesInFlight,
        _current.Mtu.Current,
        _current.Recovery.NextEcn != EcnCodepoint.NotEct,
        Counters);

    /// <summary>Asks for an acknowledgement.</summary>
    public void Ping() => _isPingWanted = true;

    /// <summary>Begins a key update, where one is permitted (RFC 9001 section 6.1).</summary>
    public bool TryUpdateKeys()
    {
        if (_phase != ClosePhase.Open || _oneRtt is null || !_oneRtt.TryUpdate())
        {
            return false;
        }

        Counters.KeyUpdates++;
        TraceKeyUpdate(_eventTime);
        _isPingWanted = true;
        return true;
    }

    private void TraceKeyUpdate(TimeSpan now) =>
        _trace?.KeyUpdated(now, Role, PacketNumberSpace.Application, _oneRtt!.WriteGeneration, KeyUpdateTrigger.LocalUpdate);

    /// <summary>Wipes keys and gives buffers back. The peer is not told: <see cref="Close(TimeSpan, long, string)"/> does that.</summary>
    public void Dispose()
    {
        if (_phase != ClosePhase.Drained)
        {
            Finish(new CloseReason(CloseKind.Abandoned, 0, FrameType.Padding, "the endpoint was closed"));
        }

        _trace?.Dispose();
        _tls.Dispose();
        _oneRtt?.Dispose();
        _initial.Dispose();
        _handshake.Dispose();
        _application.Dispose();
        _pendingWriteSecret?.Dispose();
        _pendingReadSecret?.Dispose();
        Streams.Dispose();
    }

    private void Tell(ConnectionEventKind kind, PathId path = default) => _events.Enqueue(new ConnectionEvent(kind, path));

    private PacketSpace SpaceOf(PacketNumberSpace number) => number switch
    {
        PacketNumberSpace.Initial => _initial,
        PacketNumberSpace.Handshake => _handshake,
        _ => _application,
    };
}
