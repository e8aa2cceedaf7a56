using Gimlet.Quic;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Hosting;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Wire;
using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>The real <see cref="ConnectionCore"/> with as much around it as <c>ConnectionHost</c> has, less locks, timers and the public API.</summary>
internal sealed class SimQuic : IConnectionRoutes
{
    // As ConnectionHost: a core that is due again at once this often waits for the timer.
    private const int MaxTimeoutsInARow = 64;

    // 64 datagrams of the largest size that path MTU discovery tries.
    private const int MaxDatagrams = 64;

    [ThreadStatic]
    private static byte[]? _buffer;

    private readonly SimConnections _owner;
    private readonly HeldPaths _paths;
    private ConnectionCore? _core;
    private ConnectionId? _original;
    private bool _isHandshaking = true;

    public SimQuic(SimConnections owner, bool isServer)
    {
        _owner = owner;
        _paths = new HeldPaths(owner.Paths);
        IsServer = isServer;
    }

    public ConnectionCore Core => _core ?? throw new InvalidOperationException("The connection was not started.");

    public bool IsServer { get; }

    /// <summary>Nothing goes on any more, and its core was disposed of.</summary>
    public bool IsOver { get; private set; }

    /// <summary>It has to be drained.</summary>
    public bool IsTouched { get; set; }

    public TimeSpan? NextTimeout { get; private set; }

    /// <summary>Where the newest datagram that was for it came from.</summary>
    public QuicPath HeardOn { get; private set; }

    /// <summary>When it came.</summary>
    public TimeSpan HeardAt { get; private set; }

    public QuicPath CurrentPath => new(Core.CurrentPath.Value);

    /// <summary>What happens on it; called while it is drained.</summary>
    public SimConnection? Connection { get; set; }

    /// <summary>The client's address without its port, for the token that it gets; a server's.</summary>
    public byte[]? ClientHost { get; init; }

    public bool HasAuthentic => Core.Counters.PacketsReceived > 0 || Core.Closed is not null;

    public void Start(ConnectionCore core, PathId path)
    {
        _core = core;
        _paths.Hold(path, path);
        _owner.Touch(this);
    }

    public void RouteOriginal(in ConnectionId id)
    {
        if (_owner.Endpoint.Routes.TryAdd(id, this))
        {
            _original = id;
        }
    }

    public void HandleDatagram(TimeSpan now, QuicPath path, Span<byte> datagram)
    {
        if (!IsOver)
        {
            (HeardOn, HeardAt) = (path, now);
            Core.HandleDatagram(now, new PathId(path.Value), EcnCodepoint.NotEct, datagram);
            _owner.Touch(this);
        }
    }

    public void HandleStatelessReset(TimeSpan now)
    {
        if (!IsOver)
        {
            Core.HandleStatelessReset(now);
            _owner.Touch(this);
        }
    }

    public bool TryUsePath(QuicPath path)
    {
        TimeSpan now = _owner.Now;
        return Change(path, !IsOver && Core.TryUsePath(now, new PathId(path.Value)));
    }

    public bool AbandonPath(QuicPath dead, QuicPath to)
    {
        TimeSpan now = _owner.Now;
        return Change(to, !IsOver && Core.AbandonPath(now, new PathId(dead.Value), new PathId(to.Value)));
    }

    public void Close(long code, string reason)
    {
        if (!IsOver)
        {
            Core.Close(_owner.Now, code, reason);
            _owner.Touch(this);
        }
    }

    /// <summary>Sends and tells until nothing is left to be done.</summary>
    public void Drain(TimeSpan now)
    {
        IsTouched = false;
        for (int timeouts = 0; !IsOver;)
        {
            bool any = TellAll(now);
            any |= !IsOver && SendAll(now);
            if (any || IsOver)
            {
                continue;
            }

            TimeSpan? next = Core.NextTimeout;
            if (next > now || next is null || timeouts++ == MaxTimeoutsInARow)
            {
                NextTimeout = next;
                return;
            }

            Core.HandleTimeout(now);
        }
    }

    /// <summary>Forgets the connection without another word.</summary>
    public void Abandon()
    {
        if (!IsOver)
        {
            End();
        }
    }

    /// <inheritdoc/>
    ConnectionId IConnectionRoutes.Issue(out StatelessResetToken token) => _owner.Endpoint.Issue(this, out token);

    /// <inheritdoc/>
    void IConnectionRoutes.Retire(in ConnectionId id) => _owner.Endpoint.Routes.Remove(id, this);

    /// <inheritdoc/>
    void IConnectionRoutes.AddResetToken(in StatelessResetToken token) => _owner.Endpoint.Routes.AddToken(token, this);

    /// <inheritdoc/>
    void IConnectionRoutes.RemoveResetToken(in StatelessResetToken token) => _owner.Endpoint.Routes.RemoveToken(token, this);

    private bool Change(QuicPath path, bool isChanged)
    {
        if (isChanged)
        {
            _paths.Hold(new PathId(path.Value), Core.CurrentPath);
        }

        _owner.Touch(this);
        return isChanged;
    }

    private bool TellAll(TimeSpan now)
    {
        bool any = false;
        while (Core.Streams.TryPollEvent(out StreamEvent next))
        {
            any = true;
            Connection?.Take(next);
        }

        while (!IsOver && Core.TryPollEvent(out ConnectionEvent next))
        {
            any = true;
            Tell(next, now);
        }

        return any;
    }

    private void Tell(in ConnectionEvent next, TimeSpan now)
    {
        switch (next.Kind)
        {
            case ConnectionEventKind.Connected:
                EndHandshake();
                if (ClientHost is { } host)
                {
                    Core.SendNewToken(_owner.Endpoint.MakeNewToken(now, host));
                }

                Connection?.HandleConnected();
                break;
            case ConnectionEventKind.Confirmed:
                ForgetOriginal();
                break;
            case ConnectionEventKind.PathValidated or ConnectionEventKind.PathChanged:
                _paths.Hold(next.Path, Core.CurrentPath);
                Connection?.HandlePath(next.Kind, new QuicPath(next.Path.Value));
                break;
            case ConnectionEventKind.PathFailed:
                if (next.Path != Core.CurrentPath)
                {
                    _paths.Release(next.Path);
                }

                Connection?.HandlePath(next.Kind, new QuicPath(next.Path.Value));
                break;
            case ConnectionEventKind.PathSilent or ConnectionEventKind.PeerMoved:
                Connection?.HandlePath(next.Kind, new QuicPath(next.Path.Value));
                break;
            case ConnectionEventKind.Closed:
                EndHandshake();
                Connection?.HandleClosed(next.Close!);
                break;
            case ConnectionEventKind.Drained:
                End();
                break;
            default:
                break;
        }
    }

    private bool SendAll(TimeSpan now)
    {
        byte[] buffer = _buffer ??= new byte[65_507];
        bool any = false;
        while (Core.TryPollTransmit(now, buffer, MaxDatagrams, out Transmit transmit))
        {
            any = true;

            // What the system does not take at all counts as lost on the way.
            _ = _owner.Paths.Send(new QuicPath(transmit.Path.Value), buffer.AsSpan(0, transmit.Length), transmit.SegmentSize, (EcnMark)transmit.Ecn, out _);
        }

        return any;
    }

    private void EndHandshake()
    {
        if (_isHandshaking)
        {
            _isHandshaking = false;
            if (IsServer)
            {
                _owner.Endpoint.Admission.EndHandshake();
            }
        }
    }

    private void ForgetOriginal()
    {
        if (_original is { } original)
        {
            _owner.Endpoint.Routes.Remove(original, this);
            _original = null;
        }
    }

    private void End()
    {
        IsOver = true;
        NextTimeout = null;
        if (Core.Closed is null)
        {
            Connection?.HandleClosed(new CloseReason(CloseKind.Abandoned, 0, FrameType.Padding, "the endpoint was closed"));
        }

        EndHandshake();
        ForgetOriginal();
        Core.Dispose();
        _paths.ReleaseAll();
        _owner.Remove(this);
    }
}
