using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Threading.Channels;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Hosting;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;

namespace Gimlet.Quic;

/// <summary>
/// An authenticated, encrypted connection with streams and datagrams. Safe from any thread. When it ends, everything that waits on it and on its
/// streams gets a <see cref="QuicException"/> that says why.
/// </summary>
public sealed partial class QuicConnection : IAsyncDisposable
{
    // A path owner looks at events as they come; a peer that wanders makes some of them, so they are not kept for ever.
    private const int MaxPathEvents = 64;

    private readonly ConnectionHost _host;
    private readonly QuicConnectionOptions _options;
    private readonly string? _targetHost;
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<QuicException> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Channel<QuicPathEvent>? _pathEvents;
    private volatile CloseReason? _closeReason;

    internal QuicConnection(ConnectionHost host, QuicConnectionOptions options, string? targetHost)
    {
        _host = host;
        _options = options;
        _targetHost = targetHost;
        _datagram = new PendingOperation<int>(host.Gate);
        _accepted = new StreamQueue(host.Gate);
    }

    /// <summary>The protocol that both sides speak.</summary>
    public SslApplicationProtocol NegotiatedApplicationProtocol { get; private set; }

    /// <summary>What the peer showed and proved to hold the key of; null for a client that showed nothing.</summary>
    public QuicPeerCertificate? RemoteCertificate { get; private set; }

    /// <summary>The host that was dialled, where there is one; for a server, the name that the client asked for.</summary>
    public string? TargetHostName { get; private set; }

    /// <summary>Whether the peer dialled.</summary>
    public bool IsServer => _host.IsServer;

    /// <summary>The path that data goes out on now.</summary>
    public QuicPath CurrentPath
    {
        get
        {
            lock (_host.Gate)
            {
                return new QuicPath(_host.Core.CurrentPath.Value);
            }
        }
    }

    /// <summary>The path that the connection began on: the one that was dialled, or that the client's first packet came by.</summary>
    public QuicPath InitialPath => new(_host.Core.InitialPath.Value);

    /// <summary>The peer's address on the path in use, or null where it is a path without one.</summary>
    public IPEndPoint? RemoteEndPoint => _host.Sender.GetRemoteEndPoint(CurrentPath);

    /// <summary>Completes when the connection has ended, with why; it never fails.</summary>
    public Task<QuicException> Closed => _closed.Task;

    /// <summary>
    /// What happened to paths, oldest first; 64 at most are kept, from the first look at this property on. For the owner of the paths: one reader.
    /// </summary>
    public ChannelReader<QuicPathEvent> PathEvents
    {
        get
        {
            lock (_host.Gate)
            {
                if (_pathEvents is null)
                {
                    _pathEvents = Channel.CreateBounded<QuicPathEvent>(
                        new BoundedChannelOptions(MaxPathEvents) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
                    if (_closeReason is not null)
                    {
                        _pathEvents.Writer.Complete();
                    }
                }

                return _pathEvents.Reader;
            }
        }
    }

    /// <summary>What is behind it.</summary>
    internal ConnectionHost Host => _host;

    /// <summary>Completes with the handshake; for clients before the application has the connection.</summary>
    internal Task Connected => _connected.Task;

    internal long DefaultStreamErrorCode => _options.DefaultStreamErrorCode;

    /// <summary>Whether the application was told of the end. With the gate held.</summary>
    internal bool IsEndTold => _closeReason is not null;

    /// <summary>The most that one stream can have unread; alone it could have all of the connection's window.</summary>
    internal long MaxUnreadOfStream => Math.Min(_options.StreamWindow, _options.ConnectionWindow);

    /// <summary>
    /// Closes the connection: the peer is told, all streams end at once, and data that the peer has not acknowledged may be lost. To be sure of
    /// it, wait for <see cref="QuicStream.WritesClosed"/> first. Harmless when it is closed.
    /// </summary>
    /// <param name="errorCode">The application's code, 0 to 2^62 - 1; 0 is the usual one for no error.</param>
    /// <param name="reason">For people; the peer sees it.</param>
    /// <param name="cancellationToken">Looked at once: closing does not wait for the peer.</param>
    public ValueTask CloseAsync(long errorCode, string? reason = null, CancellationToken cancellationToken = default)
    {
        OptionCheck.ErrorCode(errorCode, nameof(errorCode));
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        _host.Close(errorCode, reason ?? string.Empty);
        return ValueTask.CompletedTask;
    }

    /// <summary>Closes with <see cref="QuicConnectionOptions.DefaultCloseErrorCode"/>, where it is not closed already. Safe to call twice.</summary>
    public ValueTask DisposeAsync()
    {
        _host.Close(_options.DefaultCloseErrorCode, string.Empty);
        return ValueTask.CompletedTask;
    }

    /// <summary>Figures of the connection and of its path.</summary>
    public QuicConnectionStatistics GetStatistics()
    {
        lock (_host.Gate)
        {
            ConnectionStatistics now = _host.Core.GetStatistics();
            ConnectionCounters counters = now.Counters;
            return new QuicConnectionStatistics
            {
                Rtt = now.Rtt,
                MinRtt = now.MinRtt,
                CongestionWindow = now.CongestionWindow,
                BytesInFlight = now.BytesInFlight,
                PathMtu = now.UdpPayload,
                IsEcnCapable = now.EcnCapable,
                DatagramsSent = counters.DatagramsSent,
                DatagramsReceived = counters.DatagramsReceived,
                BytesSent = counters.BytesSent,
                BytesReceived = counters.BytesReceived,
                PacketsSent = counters.PacketsSent,
                PacketsReceived = counters.PacketsReceived,
                PacketsLost = counters.PacketsLost,
                BytesLost = counters.BytesLost,
                PacketsDropped = counters.PacketsDropped,
                ProbeTimeouts = counters.ProbeTimeouts,
                KeyUpdates = counters.KeyUpdates,
                Migrations = counters.Migrations,
                DatagramFramesSent = counters.DatagramFramesSent,
                DatagramFramesReceived = counters.DatagramFramesReceived,
                DatagramFramesLost = counters.DatagramFramesLost,
                DatagramFramesDropped = counters.DatagramFramesDropped,
            };
        }
    }

    /// <summary>
    /// Figures of each path of the connection, in no order: those that its owner chose, and those that packets of the peer came by. A path that is removed, or
    /// that makes room for another one, is in it no longer.
    /// </summary>
    [SuppressMessage("Design", "CA1024:Use properties where appropriate", Justification = "It is made anew for each call, as GetStatistics.")]
    public IReadOnlyList<QuicPathStatistics> GetPathStatistics()
    {
        lock (_host.Gate)
        {
            ConnectionCore core = _host.Core;
            var all = new QuicPathStatistics[core.Paths.Count];
            for (int i = 0; i < all.Length; i++)
            {
                ConnectionPath path = core.Paths[i];
                RttEstimator rtt = path.Recovery.Rtt;
                all[i] = new QuicPathStatistics
                {
                    Path = new QuicPath(path.Id.Value),
                    Rtt = rtt.HasSample ? rtt.Smoothed : TimeSpan.Zero,
                    MinRtt = rtt.Minimum,
                    BytesSent = path.BytesSent,
                    BytesReceived = path.BytesReceived,
                    PacketsSent = path.PacketsSent,
                    PacketsLost = path.PacketsLost,
                    IsValidated = path.IsValidated,
                    IsCurrent = path.Id == core.CurrentPath,
                };
            }

            return all;
        }
    }

    /// <summary>Asks the peer for an answer, which keeps the connection and the NATs on its way alive.</summary>
    public void Ping()
    {
        lock (_host.Gate)
        {
            if (_closeReason is null)
            {
                _host.Core.Ping();
                _host.Drain();
            }
        }
    }

    /// <summary>Begins a key update (RFC 9001 section 6.1).</summary>
    /// <returns>False where none is permitted now: the handshake is not confirmed, or the last update not acknowledged.</returns>
    public bool UpdateKeys()
    {
        lock (_host.Gate)
        {
            bool began = _closeReason is null && _host.Core.TryUpdateKeys();
            _host.Drain();
            return began;
        }
    }

    /// <summary>Probes a path and moves there once it is validated (RFC 9000 section 9.2): <see cref="PathEvents"/> tells. A client's.</summary>
    /// <param name="path">The path, as its owner numbers it.</param>
    /// <returns>False when it is not permitted (yet), or the peer gave no connection id for another path.</returns>
    public bool TryMigrate(QuicPath path) => ChangePath(path, static (core, now, id, _) => core.TryMigrate(now, id));

    /// <summary>
    /// Sends on a path from now on, which its owner vouches for; needs <see cref="QuicConnectionOptions.GimletPaths"/> of both sides (docs/protocol.md
    /// section 5). Until QUIC has validated the path, all that goes there goes out on the last validated path as well. Little that is in flight (10 packets
    /// at most) goes out once more on the new path at once. Before the handshake is complete the path is remembered, and used from that moment on. On the path that is
    /// in use already it is a kick: the probe timeout begins afresh, and if anything is in flight a probe goes out at once.
    /// </summary>
    /// <param name="path">The path, as its owner numbers it.</param>
    /// <returns>False where it is not permitted: the peer is no node, the connection ended, or there are too many paths.</returns>
    public bool TryUsePath(QuicPath path) => ChangePath(path, static (core, now, id, _) => core.TryUsePath(now, id));

    /// <summary>
    /// A path is dead, says its owner; needs <see cref="QuicConnectionOptions.GimletPaths"/> of both sides (docs/protocol.md section 5). All that is in
    /// flight there counts as lost at once, which is no sign of congestion, and goes out again on another path, which is used from now on as by
    /// <see cref="TryUsePath"/>, with the round-trip time and window that it has from before. The dead path is kept and challenged, so that its return
    /// shows: <see cref="QuicPathEventKind.Validated"/>.
    /// </summary>
    /// <param name="path">The path that is dead.</param>
    /// <param name="to">The path to use from now on.</param>
    /// <returns>False, and nothing changed, where it is not permitted, or both are the same.</returns>
    public bool AbandonPath(QuicPath path, QuicPath to) =>
        ChangePath(to, static (core, now, id, dead) => core.AbandonPath(now, dead, id), path);

    /// <summary>The path is gone: what was sent there counts as lost, and the best other path takes over.</summary>
    /// <param name="path">The path, as its owner numbers it.</param>
    public void RemovePath(QuicPath path) => _ = ChangePath(
        path,
        static (core, now, id, _) =>
        {
            core.RemovePath(now, id);
            return false;
        });

    internal void OnConnected()
    {
        ConnectionCore core = _host.Core;
        NegotiatedApplicationProtocol = core.ApplicationProtocol;
        RemoteCertificate = core.Peer is { } peer ? CertificateDecisions.ToPublic(peer, _targetHost) : null;
        TargetHostName = _targetHost ?? core.ServerName;
        _connected.SetResult();
    }

    internal void OnClosed(CloseReason reason)
    {
        _closeReason = reason;
        _ = _connected.TrySetException(reason.ToException());

        // Nobody waits for a server's handshake.
        _ = _connected.Task.Exception;
        EndStreams(reason);
        EndDatagrams(reason);
        _ = _pathEvents?.Writer.TryComplete();
        _ = _closed.TrySetResult(reason.ToException());
    }

    internal void OnPathEvent(QuicPathEventKind kind, PathId path) =>
        _ = _pathEvents?.Writer.TryWrite(new QuicPathEvent(kind, new QuicPath(path.Value)));

    private bool ChangePath(QuicPath path, Func<ConnectionCore, TimeSpan, PathId, PathId, bool> change, QuicPath other = default)
    {
        lock (_host.Gate)
        {
            if (_closeReason is not null)
            {
                return false;
            }

            TimeSpan now = _host.Now;
            bool changed = change(_host.Core, now, new PathId(path.Value), new PathId(other.Value));
            if (changed)
            {
                _host.Hold(path);
            }

            _host.Drain(now);
            return changed;
        }
    }

    private void ThrowIfClosed()
    {
        if (_closeReason is { } reason)
        {
            throw reason.ToException();
        }
    }
}
