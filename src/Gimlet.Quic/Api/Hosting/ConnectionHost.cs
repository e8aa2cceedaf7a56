using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Wire;
using Gimlet.Sockets;

namespace Gimlet.Quic.Hosting;

/// <summary>
/// One connection with its lock, its timer and its way out. Whoever has something for the core (a batch of datagrams, the timer, a call of the
/// application) takes <see cref="Gate"/>, feeds it and calls <see cref="Drain(TimeSpan)"/>, which sends and tells until nothing is left. Sends do
/// not block, and completions run elsewhere, so no user code runs under the lock; the exception is the decision on a certificate, which TLS asks
/// for.
/// </summary>
internal sealed class ConnectionHost : IConnectionRoutes, IThreadPoolWorkItem, IDisposable
{
    // Whoever sends datagrams one behind the other does so in less than that; a hop over the thread pool takes about as long.
    private static readonly TimeSpan BurstInterval = TimeSpan.FromMicroseconds(50);

    // A core whose timeout stays in the past after it was handled this often waits for the timer's next tick instead of for ever.
    private const int MaxTimeoutsInARow = 16;

    private readonly EndpointHost _endpoint;
    private readonly ConnectionTimer _timer;
    private readonly HeldPaths _paths;
    private readonly string? _tokenKey;
    private readonly Action<QuicConnection>? _begun;
    private ConnectionCore? _core;
    private BlockedDatagrams _blocked;
    private ConnectionId? _original;
    private TimeSpan _latest;
    private bool _isBlocked;
    private bool _isQueued;
    private bool _isHandshaking = true;
    private bool _isBegunTold;
    private bool _isOver;
    private bool _isCoreDisposed;
    private bool _isDrainQueued;
    private TimeSpan _datagramsDrainedAt = TimeSpan.MinValue;

    public ConnectionHost(EndpointHost endpoint, QuicConnectionOptions options, bool isServer, string? tokenKey)
    {
        _endpoint = endpoint;
        _timer = new ConnectionTimer(endpoint.TimeProvider, static state => ((ConnectionHost)state!).OnTimer(), this);
        _paths = new HeldPaths(endpoint.Sender);
        _tokenKey = tokenKey;
        _begun = options.ConnectionBegun;
        IsServer = isServer;
        DefaultCloseErrorCode = options.DefaultCloseErrorCode;
        Connection = new QuicConnection(this, options, (options as QuicClientOptions)?.TargetHost ?? tokenKey);
    }

    /// <summary>Guards the core and everything that belongs to the connection.</summary>
    public Lock Gate { get; } = new();

    /// <summary>What the application sees.</summary>
    public QuicConnection Connection { get; }

    public bool IsServer { get; }

    public long DefaultCloseErrorCode { get; }

    /// <summary>Where the connection goes once its handshake is complete; a server's.</summary>
    public ServerHost? Server { get; init; }

    /// <summary>The client's address without its port, for the token that it gets; a server's.</summary>
    public byte[]? ClientHost { get; init; }

    /// <summary>Whether anything of what came was authentic. With the gate held.</summary>
    public bool HasAuthentic => Core.Counters.PacketsReceived > 0 || Core.Closed is not null;

    /// <summary>With the gate held.</summary>
    public ConnectionCore Core => _core!;

    /// <summary>Nothing goes on any more: the core is disposed of.</summary>
    public bool IsOver => _isOver;

    public IDatagramSender Sender => _endpoint.Sender;

    /// <summary>A receiver has datagrams for it that were not followed by <see cref="Drain(TimeSpan)"/> yet. With the gate held.</summary>
    public bool IsTouched { get; set; }

    /// <summary>The clock of the core. With the gate held.</summary>
    public TimeSpan Now => NotBefore(_endpoint.Now);

    /// <summary>Takes the core. With the gate held.</summary>
    public void Start(ConnectionCore core, PathId path)
    {
        _core = core;
        _paths.Hold(path, path);
    }

    /// <summary>Tells the application of the connection, once. Without the gate: it is the application's code.</summary>
    public void TellBegun()
    {
        lock (Gate)
        {
            if (_begun is null || _isBegunTold || _isOver)
            {
                return;
            }

            _isBegunTold = true;
        }

        try
        {
            _begun(Connection);
        }
        catch (Exception e)
        {
            lock (Gate)
            {
                Break(e);
            }
        }
    }

    /// <summary>Until the handshake is confirmed, the client may still send to the id that it chose.</summary>
    public void RouteOriginal(in ConnectionId id)
    {
        if (_endpoint.Core.Routes.TryAdd(id, this))
        {
            _original = id;
        }
    }

    /// <summary>Takes a datagram. With the gate held; <see cref="Drain(TimeSpan)"/> follows once per batch.</summary>
    public void HandleDatagram(TimeSpan now, PathId path, EcnCodepoint ecn, Span<byte> datagram)
    {
        try
        {
            if (!_isOver)
            {
                Core.HandleDatagram(NotBefore(now), path, ecn, datagram);
            }
        }
        catch (Exception e)
        {
            Break(e);
        }
    }

    /// <summary>A stateless reset came.</summary>
    public void HandleStatelessReset(TimeSpan now)
    {
        lock (Gate)
        {
            if (!_isOver)
            {
                Core.HandleStatelessReset(NotBefore(now));
                Drain(now);
            }
        }
    }

    /// <summary>Sends, tells and arms the timer until nothing is left to be done. With the gate held.</summary>
    public void Drain(TimeSpan now)
    {
        IsTouched = false;
        try
        {
            DrainAll(NotBefore(now));
        }
        catch (Exception e)
        {
            Break(e);
        }
    }

    // Threads read the clock in front of the lock and get it in any order; for the core time does not go back.
    private TimeSpan NotBefore(TimeSpan now)
    {
        _latest = now > _latest ? now : _latest;
        return _latest;
    }

    private void DrainAll(TimeSpan now)
    {
        for (int timeouts = 0; !_isOver;)
        {
            bool any = TellAll();
            any |= !_isOver && SendAll(now);
            if (any || _isOver)
            {
                continue;
            }

            if (_isBlocked)
            {
                Core.OnSenderBlocked(now);
            }

            TimeSpan? next = Core.NextTimeout;
            if (next > now || next is null || timeouts++ == MaxTimeoutsInARow)
            {
                _timer.Arm(now, next);
                return;
            }

            Core.HandleTimeout(now);
        }
    }

    /// <summary>As <see cref="Drain(TimeSpan)"/>, at this time.</summary>
    public void Drain() => Drain(Now);

    /// <summary>
    /// The application queued a datagram. The first of a burst goes out at once; those behind it wait for a thread of the pool, or until they fill a
    /// batch, and go out together. With the gate held.
    /// </summary>
    /// <param name="isFull">There was no room for it.</param>
    public void DrainDatagrams(bool isFull)
    {
        TimeSpan now = Now;
        int queued = Core.QueuedDatagrams;
        if (now >= _datagramsDrainedAt + BurstInterval || (queued > 0 && queued % TransmitBuffer.MaxDatagrams == 0) || isFull)
        {
            _datagramsDrainedAt = now;
            Drain(now);
        }
        else if (!_isDrainQueued)
        {
            _isDrainQueued = true;
            _ = ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>There may be room in the sender's buffer.</summary>
    public void Resume()
    {
        lock (Gate)
        {
            _isBlocked = false;
            _isQueued = false;
            Drain(Now);
        }
    }

    /// <summary>Closes with the application's code; harmless when it is closed.</summary>
    public void Close(long errorCode, string reason)
    {
        lock (Gate)
        {
            if (!_isOver)
            {
                TimeSpan now = Now;
                Core.Close(now, errorCode, reason);
                Drain(now);
            }
        }
    }

    /// <summary>Closes a connection whose handshake is under way; one that is complete here may be one for the peer, and stays.</summary>
    /// <param name="claim">Called before the close, which is left where the claim is refused: whoever waits for the handshake sees its end at once.</param>
    /// <param name="errorCode">The application's code.</param>
    /// <param name="reason">The reason in words.</param>
    /// <returns>False when the handshake is complete.</returns>
    public bool TryCloseHandshake(Func<bool> claim, long errorCode, string reason)
    {
        lock (Gate)
        {
            if (!_isOver && Core.IsConnected)
            {
                return false;
            }

            if (claim())
            {
                Close(errorCode, reason);
            }

            return true;
        }
    }

    /// <summary>The owner of the paths chose a path for the connection. With the gate held.</summary>
    public void Hold(QuicPath path) => _paths.Hold(new PathId(path.Value), Core.CurrentPath);

    /// <summary>Forgets the connection without another word.</summary>
    public void Abandon()
    {
        lock (Gate)
        {
            if (_isOver)
            {
                return;
            }

            // The peer's close may have come in a batch whose end has not: nobody was told of it yet.
            if (!Connection.IsEndTold)
            {
                Connection.OnClosed(Core.Closed ?? new CloseReason(CloseKind.Abandoned, 0, FrameType.Padding, "the endpoint was closed"));
            }

            // What was not read goes with it, and so do its ids.
            End(isUnreadKept: false);
        }
    }

    /// <summary>As <see cref="Abandon"/>.</summary>
    public void Dispose() => Abandon();

    /// <inheritdoc/>
    void IThreadPoolWorkItem.Execute()
    {
        lock (Gate)
        {
            _isDrainQueued = false;
            _datagramsDrainedAt = Now;
            Drain(_datagramsDrainedAt);
        }
    }

    /// <inheritdoc/>
    ConnectionId IConnectionRoutes.Issue(out StatelessResetToken token) => _endpoint.Core.Issue(this, out token);

    /// <inheritdoc/>
    void IConnectionRoutes.Retire(in ConnectionId id) => _endpoint.Core.Routes.Remove(id, this);

    /// <inheritdoc/>
    void IConnectionRoutes.AddResetToken(in StatelessResetToken token) => _endpoint.Core.Routes.AddToken(token, this);

    /// <inheritdoc/>
    void IConnectionRoutes.RemoveResetToken(in StatelessResetToken token) => _endpoint.Core.Routes.RemoveToken(token, this);

    /// <summary>Nothing is left to be read; the core goes, if its time has come. With the gate held.</summary>
    public void OnAllRead()
    {
        if (_isOver && !_isCoreDisposed)
        {
            _isCoreDisposed = true;
            Core.Dispose();
        }
    }

    // A defect in the core, which one peer must not turn into the end of everybody's receive loop. The connection ends and says so; the peer
    // learns of it by a stateless reset.
    private void Break(Exception exception)
    {
        if (_isOver)
        {
            return;
        }

        string reason = $"a defect of this side: {exception}";
        Connection.OnClosed(new CloseReason(CloseKind.LocalTransport, (long)TransportErrorCode.InternalError, FrameType.Padding, reason));
        End(isUnreadKept: false);
    }

    private void OnTimer()
    {
        lock (Gate)
        {
            _timer.OnFired();
            Drain(Now);
        }
    }

    // True when something was told.
    private bool TellAll()
    {
        bool any = false;

        // Streams first: what came in front of a close is told in front of it.
        while (Core.Streams.TryPollEvent(out StreamEvent next))
        {
            any = true;
            Connection.OnStreamEvent(next);
        }

        while (!_isOver && Core.TryPollEvent(out ConnectionEvent next))
        {
            any = true;
            Tell(next);
        }

        return any;
    }

    private void Tell(in ConnectionEvent next)
    {
        switch (next.Kind)
        {
            case ConnectionEventKind.Connected:
                EndHandshake(isComplete: true);
                Connection.OnConnected();
                if (ClientHost is { } host)
                {
                    Core.SendNewToken(_endpoint.Core.MakeNewToken(Now, host));
                }

                if (Server is { } server && !server.Queue.TryAdd(Connection))
                {
                    Core.Close(Now, DefaultCloseErrorCode, "nobody listens any longer");
                }

                break;
            case ConnectionEventKind.Confirmed:
                ForgetOriginal();
                break;
            case ConnectionEventKind.DatagramReceived:
                Connection.OnDatagramReceived();
                break;
            case ConnectionEventKind.PathValidated:
                _paths.Hold(next.Path, Core.CurrentPath);
                Connection.OnPathEvent(QuicPathEventKind.Validated, next.Path);
                break;
            case ConnectionEventKind.PathFailed:
                if (next.Path != Core.CurrentPath)
                {
                    _paths.Release(next.Path);
                }

                Connection.OnPathEvent(QuicPathEventKind.Failed, next.Path);
                break;
            case ConnectionEventKind.PathChanged:
                _paths.Hold(next.Path, Core.CurrentPath);
                Connection.OnPathEvent(QuicPathEventKind.InUse, next.Path);
                break;
            case ConnectionEventKind.PathSilent:
                Connection.OnPathEvent(QuicPathEventKind.Silent, next.Path);
                break;
            case ConnectionEventKind.PathHeard:
                Connection.OnPathEvent(QuicPathEventKind.Heard, next.Path);
                break;
            case ConnectionEventKind.PeerMoved:
                Connection.OnPathEvent(QuicPathEventKind.PeerMoved, next.Path);
                break;
            case ConnectionEventKind.TokenReceived:
                _endpoint.Tokens.Put(_tokenKey, next.Token);
                break;
            case ConnectionEventKind.Closed:
                EndHandshake(isComplete: false);
                Connection.OnClosed(next.Close!);
                break;
            case ConnectionEventKind.Drained:
                End(isUnreadKept: true);
                break;
            default:
                break;
        }
    }

    // True when something was sent.
    private bool SendAll(TimeSpan now)
    {
        if (!_isBlocked && !_blocked.IsEmpty)
        {
            WaitForRoom();
        }

        if (_isBlocked)
        {
            return false;
        }

        byte[] buffer = TransmitBuffer.OfThisThread;
        int datagrams = 0;
        int bytes = 0;
        while (!_isBlocked && Core.TryPollTransmit(now, buffer, TransmitBuffer.MaxDatagrams, out Transmit transmit))
        {
            datagrams += transmit.Count;
            bytes += transmit.Length;
            Send(transmit, buffer.AsSpan(0, transmit.Length));
        }

        if (datagrams > 0)
        {
            QuicMetrics.BatchSent(datagrams, bytes);
        }

        return datagrams > 0;
    }

    private void Send(in Transmit transmit, ReadOnlySpan<byte> datagrams)
    {
        DatagramSendResult result = Sender.Send(
            new QuicPath(transmit.Path.Value), datagrams, transmit.SegmentSize, (EcnMark)transmit.Ecn, out int sent);
        if (result == DatagramSendResult.Sent)
        {
            return;
        }

        if (result == DatagramSendResult.WouldBlock)
        {
            _blocked.Keep(transmit, datagrams[sent..]);
            WaitForRoom();
            return;
        }

        OnRefused(transmit, result, datagrams.Length - sent);
    }

    // What the system does not take at all counts as lost on the way.
    private void OnRefused(in Transmit transmit, DatagramSendResult result, int length)
    {
        if (result == DatagramSendResult.TooLarge)
        {
            Core.HandleTooLarge(Now, transmit.Path, transmit.SegmentSize);
        }

        QuicMetrics.Refused((length + transmit.SegmentSize - 1) / transmit.SegmentSize);
    }

    // True when nothing waits any longer.
    private bool TrySendBlocked()
    {
        Transmit transmit = _blocked.Transmit;
        DatagramSendResult result = Sender.Send(
            new QuicPath(transmit.Path.Value), _blocked.Rest, transmit.SegmentSize, (EcnMark)transmit.Ecn, out int sent);
        if (result == DatagramSendResult.WouldBlock)
        {
            _blocked.Skip(sent);
            return false;
        }

        if (result != DatagramSendResult.Sent)
        {
            OnRefused(transmit, result, _blocked.Rest.Length - sent);
        }

        _blocked.Clear();
        return true;
    }

    // The sender may have told of room before we stood in the queue: so it is asked once more from within it.
    private void WaitForRoom()
    {
        if (!_isQueued)
        {
            _isQueued = true;
            QuicMetrics.WaitBegan();
            _endpoint.AddBlocked(this);
        }

        _isBlocked = !TrySendBlocked();
    }

    private void EndHandshake(bool isComplete)
    {
        if (!_isHandshaking)
        {
            return;
        }

        _isHandshaking = false;
        QuicMetrics.HandshakeEnded(IsServer ? "server" : "client", isComplete);
        if (IsServer)
        {
            _endpoint.Core.Admission.EndHandshake();
        }
    }

    private void ForgetOriginal()
    {
        if (_original is { } original)
        {
            _endpoint.Core.Routes.Remove(original, this);
            _original = null;
        }
    }

    private void End(bool isUnreadKept)
    {
        _isOver = true;
        EndHandshake(isComplete: false);
        ForgetOriginal();
        QuicMetrics.ConnectionEnded(Core.Counters.PacketsLost);
        _timer.Dispose();
        _blocked.Clear();
        if (!isUnreadKept)
        {
            Connection.OnUnreadLost();
        }

        if (!isUnreadKept || !Connection.HasUnread)
        {
            OnAllRead();
        }

        _paths.ReleaseAll();
        _endpoint.Remove(this);
    }
}
