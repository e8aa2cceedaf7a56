using Gimlet.Quic.Streams.Scheduling;
using Gimlet.Quic.Streams.States;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Streams;

/// <summary>
/// One stream as the application's side sees it: both parts, where the direction has them (RFC 9000 section 3). Made by the
/// <see cref="StreamSet"/>, and used under the same lock. What is done here shows in the set's frames and events.
/// </summary>
internal sealed class QuicStreamState
{
    private readonly StreamSet _set;
    private StreamLinks _controlLinks;
    private StreamLinks _urgentLinks;
    private StreamLinks _newLinks;
    private StreamLinks _eventLinks;
    private bool _isHeld;

    internal QuicStreamState(StreamSet set, StreamId id, bool isLocal, SendPart? sending, ReceivePart? receiving)
    {
        _set = set;
        Id = id.Value;
        Direction = id.Direction;
        IsLocal = isLocal;
        Sending = sending;
        Receiving = receiving;
    }

    public long Id { get; }

    public StreamDirection Direction { get; }

    /// <summary>Whether we opened it.</summary>
    public bool IsLocal { get; }

    /// <summary>Whether it has a receiving part.</summary>
    public bool CanRead => Receiving is not null;

    /// <summary>Whether it has a sending part.</summary>
    public bool CanWrite => Sending is not null;

    /// <summary>The API's stream.</summary>
    public object? Owner { get; set; }

    /// <summary>
    /// Whether the stream must not be over yet: it counts against the peer's limit of streams until this is false. The owner holds a stream of
    /// the peer from its Opened event until the application accepts it; else a peer could open and end streams faster than the application takes
    /// them (the "rapid reset" of CVE-2023-44487).
    /// </summary>
    public bool IsHeld
    {
        get => _isHeld;
        set
        {
            _isHeld = value;
            if (!value)
            {
                _set.OnPartChanged(this);
            }
        }
    }

    /// <summary>FIN or reset is queued: nothing can be written any more.</summary>
    public bool IsFinished => Sending?.IsFinished ?? true;

    /// <summary>The code of the peer's STOP_SENDING. Our part was reset with it.</summary>
    public long? PeerStopCode => Sending?.PeerStopCode;

    /// <summary>The code of the peer's RESET_STREAM. Not where all data came before it.</summary>
    public long? PeerResetCode => Receiving?.PeerResetCode;

    /// <summary>Bytes that can be read.</summary>
    public int Available => Receiving?.Available ?? 0;

    /// <summary>All data up to the FIN was consumed.</summary>
    public bool IsReadEnd => Receiving?.IsReadEnd ?? false;

    /// <summary>The state of the sending part, for tests and diagnostics.</summary>
    public SendState? SendState => Sending?.State;

    /// <summary>The state of the receiving part, for tests and diagnostics.</summary>
    public ReceiveState? ReceiveState => Receiving?.State;

    internal SendPart? Sending { get; }

    internal ReceivePart? Receiving { get; }

    internal StreamFrames PendingFrames { get; set; }

    /// <summary>A bit for each <see cref="StreamEventKind"/> that was not polled.</summary>
    internal int PendingEvents { get; set; }

    internal bool IsClosed { get; set; }

    /// <summary>Takes data to send.</summary>
    /// <returns>
    /// How many bytes were taken: fewer than given when the buffer is full, and then <see cref="StreamEventKind.Writable"/> comes. 0 also when
    /// the peer does not want them (<see cref="PeerStopCode"/>) or the connection is closed.
    /// </returns>
    /// <exception cref="InvalidOperationException">The stream is read-only, or the caller ended or reset it.</exception>
    public int Write(ReadOnlySpan<byte> data)
    {
        SendPart part = RequireSending();
        if (part.IsFinished)
        {
            return PeerStopCode is not null || _set.IsConnectionClosed
                ? 0
                : throw new InvalidOperationException($"Stream {Id} was ended or reset; nothing can be written behind that.");
        }

        int length = part.Write(data);
        _set.OnSendPartChanged(this);
        return length;
    }

    /// <summary>Ends the stream behind what was written (FIN). Does nothing when it is ended or reset already.</summary>
    public void Finish()
    {
        SendPart part = RequireSending();
        if (!part.IsFinished)
        {
            part.Finish();
            _set.OnSendPartChanged(this);
        }
    }

    /// <summary>
    /// Gives up sending (RESET_STREAM): what was not sent is dropped, what was lost is not sent again. Also behind <see cref="Finish"/>. Does
    /// nothing when the peer has everything, or after another reset.
    /// </summary>
    /// <param name="errorCode">The application's code, 0 to 2^62 - 1.</param>
    public void Reset(long errorCode)
    {
        CheckCode(errorCode);
        if (RequireSending().Reset(errorCode))
        {
            _set.OnReset(this);
        }
    }

    /// <summary>Copies data and consumes it, which moves the flow-control windows.</summary>
    /// <returns>How many bytes; 0 when nothing is there.</returns>
    public int Read(Span<byte> destination)
    {
        int length = RequireReceiving().Read(destination);
        _set.OnRead(this);
        return length;
    }

    /// <summary>
    /// The next bytes without a copy: as many as lie together. They stay until the next <see cref="Read"/> or <see cref="Advance"/>, whatever
    /// comes.
    /// </summary>
    public bool TryPeek(out ReadOnlyMemory<byte> memory) => RequireReceiving().TryPeek(0, out memory);

    /// <summary>
    /// Bytes further on without a copy, as <see cref="TryPeek(out ReadOnlyMemory{byte})"/>: for a sequence of several segments.
    /// </summary>
    /// <param name="skip">How many bytes further on.</param>
    /// <param name="memory">The bytes.</param>
    public bool TryPeek(int skip, out ReadOnlyMemory<byte> memory) => RequireReceiving().TryPeek(skip, out memory);

    /// <summary>So many bytes were looked at and not taken, and more are wanted: the window makes room for them, within its bound.</summary>
    public void WantMoreThan(int seen) => _set.OnMoreWanted(this, seen);

    /// <summary>Consumes bytes, which moves the flow-control windows. What was peeked at must not be used any more.</summary>
    /// <param name="count">Not more than <see cref="Available"/>.</param>
    public void Advance(int count)
    {
        RequireReceiving().Advance(count);
        _set.OnRead(this);
    }

    /// <summary>
    /// Gives up reading: what came and what comes is dropped, and the peer is asked to stop (STOP_SENDING), where that is of use.
    /// </summary>
    /// <param name="errorCode">The application's code, 0 to 2^62 - 1.</param>
    public void StopSending(long errorCode)
    {
        CheckCode(errorCode);
        bool isOfUse = RequireReceiving().Stop(errorCode);
        _set.OnStopped(this, isOfUse);
    }

    internal ref StreamLinks Links(StreamListKind kind)
    {
        switch (kind)
        {
            case StreamListKind.Control:
                return ref _controlLinks;
            case StreamListKind.Urgent:
                return ref _urgentLinks;
            case StreamListKind.New:
                return ref _newLinks;
            default:
                return ref _eventLinks;
        }
    }

    private static void CheckCode(long errorCode)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(errorCode);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(errorCode, VariableLengthInteger.MaxValue);
    }

    private SendPart RequireSending() => Sending ?? throw new InvalidOperationException($"Stream {Id} is the peer's to send on only.");

    private ReceivePart RequireReceiving() => Receiving ?? throw new InvalidOperationException($"Stream {Id} is ours to send on only.");
}
