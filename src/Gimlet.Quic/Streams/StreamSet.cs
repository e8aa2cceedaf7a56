using System.Diagnostics.CodeAnalysis;
using Gimlet.Quic.Streams.Buffers;
using Gimlet.Quic.Streams.Scheduling;
using Gimlet.Quic.Streams.States;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Streams;

/// <summary>
/// The streams of a connection (RFC 9000 sections 2 to 4) without the connection: frames in (<c>Handle</c>), frames out
/// (<see cref="WriteFrames"/>), what became of them (<see cref="OnAcknowledged"/>, <see cref="OnLost"/>), and events. After anything that was
/// called, <see cref="TryPollEvent"/> is drained until it is false; a stream is over only when its events were taken. Not thread-safe. An idle
/// set holds a few hundred bytes: tables and buffers come with the first stream and the first byte.
/// </summary>
internal sealed partial class StreamSet : IDisposable
{
    private readonly EndpointRole _role;
    private readonly StreamSetSettings _settings;
    private readonly SendBudget _sendBudget;

    private Dictionary<long, QuicStreamState>? _streams;

    // Frames come in runs of one stream.
    private QuicStreamState? _last;

    private LocalStreams _localBidirectional = new();
    private LocalStreams _localUnidirectional = new();
    private PeerStreams _peerBidirectional;
    private PeerStreams _peerUnidirectional;

    private StreamList _control = new(StreamListKind.Control);
    private StreamList _urgent = new(StreamListKind.Urgent);
    private StreamList _new = new(StreamListKind.New);
    private StreamList _events = new(StreamListKind.Events);
    private SetFrames _pending;
    private int _availableDirections;

    private TransportParameters? _peer;
    private ReceiveWindow _window;
    private long _received;
    private long _sent;
    private long _limit;
    private long _blockedAt = -1;

    private TimeSpan _now;
    private TimeSpan _roundTrip;

    /// <summary>Makes a set without streams.</summary>
    /// <param name="role">Which side we are.</param>
    /// <param name="settings">What is permitted.</param>
    public StreamSet(EndpointRole role, StreamSetSettings settings)
    {
        _role = role;
        _settings = settings;
        _sendBudget = new SendBudget(settings.SendBufferBytes);
        _peerBidirectional = new PeerStreams(settings.MaxBidirectionalStreams);
        _peerUnidirectional = new PeerStreams(settings.MaxUnidirectionalStreams);
        _window = new ReceiveWindow(settings.InitialConnectionWindow, settings.ConnectionWindow, now: default);
    }

    /// <summary>How many streams are open, in either direction.</summary>
    public int OpenCount => _streams?.Count ?? 0;

    /// <summary>Bytes sent on all streams, without those sent again: what counts against the peer's limit.</summary>
    public long Sent => _sent;

    /// <summary>The sum of how far each stream got, bytes that are missing with it: what counts against our limit.</summary>
    public long Received => _received;

    /// <summary>Of <see cref="Received"/>, what was consumed or dropped: the limit follows it.</summary>
    public long Consumed => _window.Consumed;

    /// <summary>Whether <see cref="OnConnectionClosed"/> was called.</summary>
    public bool IsConnectionClosed { get; private set; }

    /// <summary>Takes the peer's limits, once. Nothing can be opened before.</summary>
    public void SetPeerLimits(TransportParameters peer)
    {
        if (_peer is not null)
        {
            throw new InvalidOperationException("The peer's limits are known already; a connection has one set of transport parameters.");
        }

        _peer = peer;
        _limit = peer.InitialMaxData;
        ExtendStreams(StreamDirection.Bidirectional, peer.InitialMaxStreamsBidirectional);
        ExtendStreams(StreamDirection.Unidirectional, peer.InitialMaxStreamsUnidirectional);
    }

    /// <summary>Opens a stream. The peer learns of it with its first frame.</summary>
    /// <param name="direction">Which kind.</param>
    /// <param name="stream">The stream.</param>
    /// <returns>False when the peer permits no more: <see cref="StreamEventKind.StreamsAvailable"/> tells when it does.</returns>
    public bool TryOpen(StreamDirection direction, [NotNullWhen(true)] out QuicStreamState? stream)
    {
        stream = null;
        if (IsConnectionClosed)
        {
            return false;
        }

        ref LocalStreams local = ref Local(direction);
        if (local.Opened >= local.Limit)
        {
            local.IsWanted = true;

            // RFC 9000 section 4.6: an endpoint that wants to open a stream but cannot sends STREAMS_BLOCKED. Once for each limit.
            if (_peer is not null && local.BlockedAt != local.Limit)
            {
                local.BlockedAt = local.Limit;
                _pending |= Shift(SetFrames.StreamsBlocked, direction);
            }

            return false;
        }

        stream = Create(StreamId.Create(_role, direction, local.Opened), isLocal: true);
        local.Opened++;
        return true;
    }

    /// <summary>Finds a stream that is open.</summary>
    public bool TryFind(long id, [NotNullWhen(true)] out QuicStreamState? stream)
    {
        if (_last is { } last && last.Id == id)
        {
            stream = last;
            return true;
        }

        if (_streams is null || !_streams.TryGetValue(id, out stream))
        {
            stream = null;
            return false;
        }

        _last = stream;
        return true;
    }

    /// <summary>
    /// Tells the time and the round-trip time, by which windows grow. Called with every datagram that comes, before its frames: it costs two
    /// assignments.
    /// </summary>
    public void UpdateRtt(TimeSpan now, TimeSpan smoothedRtt)
    {
        _now = now;
        _roundTrip = smoothedRtt;
    }

    /// <summary>Whether flow control holds data back, and nothing else waits to be sent. Looks at every stream: for quiet moments.</summary>
    public bool IsBlocked
    {
        get
        {
            if (_streams is null || IsConnectionClosed || HasFramesToSend)
            {
                return false;
            }

            foreach (QuicStreamState stream in _streams.Values)
            {
                if (stream.Sending is { HasNew: true })
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>
    /// Tells again where flow control holds data back. RFC 9000 section 4.1: "To keep the connection from closing, a sender that is flow control
    /// limited SHOULD periodically send a STREAM_DATA_BLOCKED or DATA_BLOCKED frame when it has no ack-eliciting packets in flight."
    /// </summary>
    public void RepeatBlocked()
    {
        if (_streams is null || IsConnectionClosed)
        {
            return;
        }

        _blockedAt = -1;
        foreach (QuicStreamState stream in _streams.Values)
        {
            if (stream.Sending is { HasNew: true } part)
            {
                part.BlockedAt = -1;
                OnSendPartChanged(stream);
            }
        }
    }

    /// <summary>
    /// The connection ended: nothing is sent or taken any more and each stream is told to be closed. Data that is there can still be read; the
    /// memory of a stream goes back with its last byte, with <see cref="QuicStreamState.StopSending"/>, or when the set is disposed of.
    /// </summary>
    public void OnConnectionClosed()
    {
        if (IsConnectionClosed)
        {
            return;
        }

        IsConnectionClosed = true;
        _pending = SetFrames.None;
        _control.Clear();
        _urgent.Clear();
        _new.Clear();
        if (_streams is null)
        {
            return;
        }

        foreach (QuicStreamState stream in _streams.Values)
        {
            stream.Sending?.Abandon();
            stream.Receiving?.Abandon();
            if (!stream.IsClosed)
            {
                stream.IsClosed = true;
                Raise(stream, StreamEventKind.Closed);
            }
        }
    }

    /// <summary>Gives all memory back.</summary>
    public void Dispose()
    {
        OnConnectionClosed();
        if (_streams is not null)
        {
            foreach (QuicStreamState stream in _streams.Values)
            {
                stream.Receiving?.Release();
            }
        }

        _streams = null;
        _last = null;
    }

    private static SetFrames Shift(SetFrames frames, StreamDirection direction) => (SetFrames)((int)frames << (int)direction);

    private ref LocalStreams Local(StreamDirection direction)
    {
        if (direction == StreamDirection.Bidirectional)
        {
            return ref _localBidirectional;
        }

        return ref _localUnidirectional;
    }

    private ref PeerStreams Peers(StreamDirection direction)
    {
        if (direction == StreamDirection.Bidirectional)
        {
            return ref _peerBidirectional;
        }

        return ref _peerUnidirectional;
    }

    private QuicStreamState Create(StreamId id, bool isLocal)
    {
        bool isBidirectional = id.Direction == StreamDirection.Bidirectional;
        SendPart? sending = isBidirectional || isLocal ? new SendPart(_sendBudget, PeerStreamLimit(isBidirectional, isLocal)) : null;
        ReceivePart? receiving = isBidirectional || !isLocal
            ? new ReceivePart(new ReceiveWindow(_settings.InitialStreamWindow, _settings.StreamWindow, _now))
            : null;
        var stream = new QuicStreamState(this, id, isLocal, sending, receiving);
        _streams ??= [];
        _streams.Add(id.Value, stream);
        _last = stream;
        return stream;
    }

    // The peer's parameters name the initiator from its own point of view.
    private long PeerStreamLimit(bool isBidirectional, bool isLocal)
    {
        if (_peer is null)
        {
            return 0;
        }

        if (!isBidirectional)
        {
            return _peer.InitialMaxStreamDataUnidirectional;
        }

        return isLocal ? _peer.InitialMaxStreamDataBidirectionalRemote : _peer.InitialMaxStreamDataBidirectionalLocal;
    }

    private void ExtendStreams(StreamDirection direction, long limit)
    {
        ref LocalStreams local = ref Local(direction);
        if (limit <= local.Limit)
        {
            return;
        }

        local.Limit = limit;
        _pending &= ~Shift(SetFrames.StreamsBlocked, direction);
        if (local.IsWanted)
        {
            local.IsWanted = false;
            _availableDirections |= 1 << (int)direction;
        }
    }
}
