using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Gimlet.Connections;
using Gimlet.Hosting;
using Gimlet.Observability;
using Gimlet.Quic;

namespace Gimlet;

/// <summary>
/// An authenticated, encrypted connection with a peer: streams, datagrams, round trips. It begins on the relay, moves to a direct path when one works and back
/// when that dies, and follows both sides to new addresses; streams do not notice. Thread-safe.
/// </summary>
public sealed partial class GimletConnection : IAsyncDisposable, IControlEvents
{
    private readonly IConnectionOwner _table;
    private readonly QuicConnection _quic;
    private readonly ControlStream _control;
    private readonly long _startedAt;

    // Whoever waits for it goes on at once: it hands the connection out, and the first byte waits for that.
    private readonly TaskCompletionSource<bool> _greeted = new();
    private readonly TaskCompletionSource<string> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // The application hears of so many of a peer's pings at once; the rest is answered all the same.
    private const int MaxWaitingPings = 4096;

    private readonly ConcurrentQueue<PingReceived> _pingNews = new();
    private readonly EarlyNews<PathChange> _pathChanged = new();
    private readonly EarlyNews<PingReceived> _pingAnswered = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ChannelReader<QuicPathEvent> _pathEvents;
    private ConnectionPath _path;
    private string _pathReason = "connected";
    private volatile bool _isSilent;
    private readonly CallRecord? _callRecord;
    private readonly ConnectionRecord? _record;
    private int _usesDirect;
    private int _sequence;
    private int _isUsed;
    private int _waitingPings;
    private int _tellingPings;
    private string? _closeReason;

    internal GimletConnection(IConnectionOwner table, QuicConnection quic, in ConnectionBirth birth)
    {
        _table = table;
        _quic = quic;
        _startedAt = birth.StartedAt;
        Call = birth.Call;
        RemotePeer = birth.Peer;
        IsAuthenticated = birth.IsAuthenticated;
        Policy = birth.Policy;
        _usesDirect = birth.Policy.AllowsDirect ? 1 : 0;
        _dialRaces = birth.Races;
        _agreement = new RaceAgreement(decides: !quic.IsServer) { AllowsRelay = birth.Policy.AllowsRelay, AllowsDirect = birth.Policy.AllowsDirect };
        Protocol = quic.NegotiatedApplicationProtocol.ToString();
        ConnectTime = Elapsed;

        // Those are kept from the first look on: none comes between the path that is described here and the first that is read.
        _pathEvents = quic.PathEvents;
        _path = table.Describe(quic);
        _callRecord = birth.CallRecord;
        _record = birth.Statistics?.OpenConnection(
            quic.IsServer ? CallDirection.Incoming : CallDirection.Outgoing, _path.Kind, quic.CurrentPath.Value);
        _callRecord?.HandshakeEnded(null);
        NoteFirst(_path);
        quic.WatchBytes(NoteBytesOf);
        _control = new ControlStream(this, table.Instance, birth.Policy, table.Time);
    }

    /// <summary>
    /// The path in use has become another one, or nothing comes from the peer any more (a null path). Raised one at a time, in order; must not block. What
    /// happened before the first handler was added is told to it first.
    /// </summary>
    public event Action<PathChange>? PathChanged
    {
        add => _pathChanged.Add(value);
        remove => _pathChanged.Remove(value);
    }

    /// <summary>
    /// A round trip of the peer was answered. Raised one at a time, in order; must not block. What happened before the first handler was
    /// added is told to it first.
    /// </summary>
    public event Action<PingReceived>? PingAnswered
    {
        add => _pingAnswered.Add(value);
        remove => _pingAnswered.Remove(value);
    }

    /// <summary>The id of the call that led to it, the same on both sides; of one that came without a call of its own, a number of this side.</summary>
    public CallId Call { get; }

    /// <summary>Who is on the other side. Proven, where <see cref="IsAuthenticated"/> is true.</summary>
    public PeerId RemotePeer { get; }

    /// <summary>The application protocol that both sides speak.</summary>
    public string Protocol { get; }

    /// <summary>The peer dialled.</summary>
    public bool IsIncoming => _quic.IsServer;

    /// <summary>
    /// The peer has proven to be who was asked for. False only for a serverless connection to a bare address: then it is whoever answered there.
    /// </summary>
    public bool IsAuthenticated { get; }

    /// <summary>From the dial, or from the call's arrival, to the moment when the connection could be used.</summary>
    public TimeSpan ConnectTime { get; }

    /// <summary>Which paths it may use.</summary>
    public PathPolicy Policy { get; }

    /// <summary>The path in use; after the end the last one; null while nothing comes from the peer on any.</summary>
    public ConnectionPath? Path => _isSilent ? null : Volatile.Read(ref _path);

    /// <summary>All paths that the connection knows, with their figures.</summary>
    public IReadOnlyList<ConnectionPathFigures> Paths => _table.DescribeAll(_quic);

    /// <summary>
    /// Bytes in QUIC packets that this side sent and declared lost, on all paths that there have been: it never goes back, which the sum over <see cref="Paths"/> does
    /// when one of them is removed. What they carried is sent again.
    /// </summary>
    public long BytesLost => _quic.GetStatistics().BytesLost;

    /// <summary>Why the connection uses the relay, with the evidence and what would help; <see cref="RelayCause.NotRelayed"/> where it does not.</summary>
    /// <exception cref="ObjectDisposedException">The node was disposed: nothing is known of its peers any more.</exception>
    public RelayVerdict WhyRelayed => _table.Explain(this);

    /// <summary>Completes with the reason when the connection has ended, whoever ended it.</summary>
    public Task<string> Closed => _closed.Task;

    internal QuicConnection Quic => _quic;

    /// <summary>Completes with the peer's hello: it stands by this connection. False when the connection has ended before one came.</summary>
    internal Task<bool> Greeted => _greeted.Task;

    /// <summary>It counts among those that want a direct path.</summary>
    internal bool UsesDirect => Volatile.Read(ref _usesDirect) == 1;

    /// <summary>The number of the peer's process; 0 until its hello has come.</summary>
    internal ulong PeerInstance { get; private set; }

    /// <summary>The peer uses direct paths for this connection.</summary>
    internal bool PeerUsesDirect { get; private set; } = true;

    /// <summary>The peer uses the relay for this connection, too.</summary>
    internal bool PeerUsesRelay { get; private set; } = true;

    internal TimeSpan Elapsed => _table.Time.GetElapsedTime(_startedAt);

    /// <summary>Opens a stream. The peer sees it with its first bytes, or its end, and not before.</summary>
    /// <param name="type">Whether the peer writes, too.</param>
    /// <param name="cancellationToken">Ends the wait for the peer to permit one more.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.Transport"/>: the connection has ended.</exception>
    public async ValueTask<QuicStream> OpenStreamAsync(QuicStreamType type = QuicStreamType.Bidirectional, CancellationToken cancellationToken = default)
    {
        try
        {
            return await _quic.OpenStreamAsync(type, cancellationToken).ConfigureAwait(false);
        }
        catch (QuicException e)
        {
            throw Ended(e);
        }
    }

    /// <summary>Takes the next stream that the peer opened.</summary>
    /// <param name="cancellationToken">Ends the wait; no stream is lost by it.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.Transport"/>: the connection has ended; streams that came before are given out first.</exception>
    public async ValueTask<QuicStream> AcceptStreamAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            while (await _early.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                if (_early.Reader.TryRead(out QuicStream? early))
                {
                    return early;
                }
            }

            QuicStream? stream = Interlocked.Exchange(ref _lastEarly, null);
            while (stream is null or { Id: 0, IsLocal: false })
            {
                // The control stream is nobody's; it comes here where the connection ended before it was found.
                stream = await _quic.AcceptStreamAsync(cancellationToken).ConfigureAwait(false);
            }

            return stream;
        }
        catch (QuicException e)
        {
            throw Ended(e);
        }
    }

    /// <summary>Sends a datagram (RFC 9221): it may be lost or overtaken, and never comes twice.</summary>
    /// <param name="data">The bytes; copied.</param>
    /// <param name="cancellationToken">Looked at once: sending does not wait.</param>
    /// <returns>False when too many wait already; it was not taken.</returns>
    /// <exception cref="GimletException">
    /// <see cref="GimletErrorKind.BadUsage"/>: it is longer than <see cref="MaxDatagramSize"/>; <see cref="GimletErrorKind.Unsupported"/>: the peer takes none;
    /// <see cref="GimletErrorKind.Transport"/>: the connection has ended.
    /// </exception>
    public ValueTask<bool> SendDatagramAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        QuicDatagramSendResult result;
        try
        {
            result = _quic.SendDatagram(data.Span);
        }
        catch (QuicException e)
        {
            throw Ended(e);
        }

        if (result == QuicDatagramSendResult.Queued)
        {
            NoteBytes();
        }

        return result switch
        {
            QuicDatagramSendResult.Queued => new ValueTask<bool>(true),
            QuicDatagramSendResult.QueueFull => new ValueTask<bool>(false),
            QuicDatagramSendResult.TooLarge => throw new GimletException(
                GimletErrorKind.BadUsage, $"A datagram of {data.Length} bytes is longer than the path takes now ({MaxDatagramSize}).", "Send less at once, or use a stream."),
            _ => throw new GimletException(GimletErrorKind.Unsupported, "The peer takes no datagrams.", "Use a stream."),
        };
    }

    /// <summary>The most bytes of a datagram now, which changes with the path; 0 where the peer takes none.</summary>
    public int MaxDatagramSize => _quic.MaxDatagramSize;

    /// <summary>Gives the datagrams of the peer as they come, until the connection ends; one reader at a time.</summary>
    /// <param name="cancellationToken">Ends the wait; no datagram is lost by it.</param>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReceiveDatagramsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            ReadOnlyMemory<byte> datagram;
            try
            {
                datagram = await _quic.ReceiveDatagramAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (QuicException)
            {
                // The end of the connection is the end of its datagrams; why, Closed says.
                yield break;
            }

            NoteBytes();
            yield return datagram;
        }
    }

    /// <summary>Makes one round trip over the path in use; a lost packet is sent again.</summary>
    /// <param name="cancellationToken">Bounds the wait.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.Transport"/>: the connection has ended.</exception>
    public Task<PingResult> PingAsync(CancellationToken cancellationToken = default) => PingAsync(out _, cancellationToken);

    /// <summary>Makes one round trip and tells its number at once, so that one without an answer has a number too.</summary>
    /// <param name="sequence">The number.</param>
    /// <param name="cancellationToken">Bounds the wait.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.Transport"/>: the connection has ended.</exception>
    public Task<PingResult> PingAsync(out int sequence, CancellationToken cancellationToken = default)
    {
        sequence = Interlocked.Increment(ref _sequence);
        return PingCoreAsync(sequence, cancellationToken);
    }

    /// <summary>
    /// Ends the connection and tells the peer. What the peer has not acknowledged may be lost: to be sure of it, wait for <see cref="QuicStream.WritesClosed"/>
    /// first. Safe to call in any state, and twice.
    /// </summary>
    public Task CloseAsync() => CloseAsync(CloseCodes.Normal, "closed by this side");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await CloseAsync().ConfigureAwait(false);

    /// <inheritdoc/>
    void IControlEvents.HelloReceived(ulong instance, bool usesDirect, bool usesRelay)
    {
        PeerUsesDirect = usesDirect;
        PeerUsesRelay = usesRelay;
        PeerInstance = instance;
        lock (_raceGate)
        {
            _agreement.AllowsDirect = Policy.AllowsDirect && usesDirect;
            _agreement.AllowsRelay = Policy.AllowsRelay && usesRelay;
        }

        _table.HelloReceived(this);
        _ = _greeted.TrySetResult(true);
    }

    /// <inheritdoc/>
    void IControlEvents.PingReceived(uint sequence)
    {
        // A peer may send pings as fast as its line allows, and an application may be slow to hear of them: the control stream waits for neither.
        if (Interlocked.Increment(ref _waitingPings) > MaxWaitingPings)
        {
            _ = Interlocked.Decrement(ref _waitingPings);
            return;
        }

        _pingNews.Enqueue(new PingReceived((int)sequence, _table.Describe(_quic)));
        if (Interlocked.Exchange(ref _tellingPings, 1) == 0)
        {
            _ = ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.TellPings(), this, preferLocal: true);
        }
    }

    /// <inheritdoc/>
    void IControlEvents.ControlEnded(Exception reason) => _control.End(Ended(reason));

    internal async Task CloseAsync(long code, string reason)
    {
        _ = Interlocked.CompareExchange(ref _closeReason, reason, null);
        await _quic.CloseAsync(code, code == CloseCodes.Normal ? null : reason).ConfigureAwait(false);
        await _over.Task.ConfigureAwait(false);
    }

    /// <summary>The table put the connection on a path; the event that follows says why.</summary>
    internal void NotePathReason(string reason) => Volatile.Write(ref _pathReason, reason);

    /// <summary>It counts no more among those that want a direct path; true for the one caller that is to count it out.</summary>
    internal bool TryLeaveDirect() => Interlocked.Exchange(ref _usesDirect, 0) == 1;

    /// <summary>The server says that the peer is not connected to it.</summary>
    internal void NoteUnreachable()
    {
        if (_quic.CurrentPath.Value < 0)
        {
            // A server that has just started says so of everybody. Whether it is true the probe timeouts of this show within a second.
            _quic.Ping();
        }
    }

    /// <summary>
    /// Hears of the peer from now on. Called once, when the table knows the connection: what has come already is told at once.
    /// </summary>
    internal void Start() => _ = RunAsync();

    /// <summary>The first stream of a client is the control stream.</summary>
    internal async Task BeginControlAsync()
    {
        if (!IsIncoming)
        {
            try
            {
                QuicStream stream = await _quic.OpenStreamAsync(QuicStreamType.Bidirectional).ConfigureAwait(false);
                _ = _control.RunAsync(stream);
            }
            catch (QuicException e)
            {
                _control.End(Ended(e));
            }
        }
    }

    private void TellPings()
    {
        do
        {
            while (_pingNews.TryDequeue(out PingReceived? news))
            {
                _ = Interlocked.Decrement(ref _waitingPings);
                try
                {
                    _pingAnswered.Raise(news);
                }
                catch (Exception e)
                {
                    // The application's handler threw, which must not end the thread that it was lent.
                    _table.HandlerFailed(e);
                }
            }

            Volatile.Write(ref _tellingPings, 0);
        }
        while (!_pingNews.IsEmpty && Interlocked.Exchange(ref _tellingPings, 1) == 0);
    }

    private async Task RunAsync()
    {
        string reason = "closed";
        try
        {
            Task finding = FindControlAsync();
            Task paths = WatchPathsAsync();
            QuicException end = await _quic.Closed.ConfigureAwait(false);
            reason = _closeReason ?? EndText.Of(end);
            _control.End(new GimletException(GimletErrorKind.Transport, $"The connection has ended: {reason}.", innerException: end));
            _ = _agreed.TrySetException(end) ? _agreed.Task.Exception : null;
            await finding.ConfigureAwait(false);
            await paths.ConfigureAwait(false);
        }
        finally
        {
            // Foreign code is called on the way, such as the application's logging: whatever it throws, who waits for the end hears of it.
            try
            {
                _ = _greeted.TrySetResult(false);
                _record?.Close();
                _table.Ended(this);
            }
            finally
            {
                _ = _closed.TrySetResult(reason);
                _over.SetResult();
            }
        }
    }

    private async Task WatchPathsAsync()
    {
        await foreach (QuicPathEvent news in _pathEvents.ReadAllAsync().ConfigureAwait(false))
        {
            switch (news.Kind)
            {
                case QuicPathEventKind.InUse:
                    Tell(_table.Describe(_quic));
                    break;
                case QuicPathEventKind.Silent:
                    _table.PathSilent(this, news.Path);
                    if (news.Path == _quic.CurrentPath && !_isSilent)
                    {
                        _isSilent = true;
                        RaisePath(new PathChange(null, "nothing comes from the peer", Elapsed));
                    }

                    break;
                case QuicPathEventKind.Heard when news.Path == _quic.CurrentPath:
                    NotePathReason("the path answers again");
                    Tell(_table.Describe(_quic));
                    break;
                case QuicPathEventKind.Failed:
                    _table.PathSilent(this, news.Path);
                    break;
                case QuicPathEventKind.PeerMoved:
                    _table.PeerMoved(this, news.Path);
                    break;
                default:
                    break;
            }
        }
    }

    private void Tell(ConnectionPath path)
    {
        ConnectionPath before = Volatile.Read(ref _path);
        bool wasSilent = _isSilent;
        _isSilent = false;
        Volatile.Write(ref _path, path);
        if (wasSilent || path.Kind != before.Kind || !Equals(path.Remote, before.Remote))
        {
            _record?.UsesPath(path.Kind, _quic.CurrentPath.Value);
            NoteFirst(path);
            _table.CountMove(before.Kind, path.Kind, this);
            RaisePath(new PathChange(path, Volatile.Read(ref _pathReason), Elapsed));
        }
    }

    private void RaisePath(PathChange change)
    {
        try
        {
            _pathChanged.Raise(change);
        }
        catch (Exception e)
        {
            _table.HandlerFailed(e);
        }
    }

    private void NoteFirst(ConnectionPath path)
    {
        if (path.Kind == PathKind.Direct)
        {
            _callRecord?.Direct(Elapsed);
        }
        else
        {
            _callRecord?.RelayWorks(works: true);
        }
    }

    // The control stream's bytes are not the application's. With the lock of the connection held, so listeners hear of it elsewhere.
    private bool NoteBytesOf(long stream)
    {
        if (stream == 0)
        {
            return false;
        }

        NoteBytes();
        return true;
    }

    private void NoteBytes()
    {
        if (Volatile.Read(ref _isUsed) == 0 && Interlocked.Exchange(ref _isUsed, 1) == 0 && _callRecord is { } record)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static s => s.record.FirstByte(s.Elapsed), (record, Elapsed), preferLocal: true);
        }
    }

    // The node may be disposed of at any moment, and what asks it something then ends there.
    private static async Task UnlessDisposedAsync(Task work)
    {
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // As the application knows.
        }
    }

    private async Task<PingResult> PingCoreAsync(int sequence, CancellationToken cancellationToken)
    {
        try
        {
            TimeSpan roundTrip = await _control.PingAsync((uint)sequence, cancellationToken).ConfigureAwait(false);
            if (_isSilent)
            {
                Tell(_table.Describe(_quic));
            }

            return new PingResult(sequence, roundTrip, Volatile.Read(ref _path));
        }
        catch (Exception e) when (e is QuicException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            throw Ended(e);
        }
    }

    private GimletException Ended(Exception cause) => cause as GimletException ?? new GimletException(
        GimletErrorKind.Transport,
        $"The connection has ended: {_closeReason ?? (cause is QuicException quic ? EndText.Of(quic) : cause.Message)}.",
        innerException: cause);
}

/// <summary>What a connection is told of its beginning.</summary>
internal readonly record struct ConnectionBirth(PeerId Peer, CallId Call, bool IsAuthenticated, PathPolicy Policy, long StartedAt)
{
    /// <summary>Where the call counts; null for a connection without a call.</summary>
    public CallRecord? CallRecord { get; init; }

    /// <summary>The dial that it comes of makes a race of it.</summary>
    public bool Races { get; init; }

    /// <summary>Where the connection counts; null for one that is not counted.</summary>
    public StatisticsCollector? Statistics { get; init; }
}
