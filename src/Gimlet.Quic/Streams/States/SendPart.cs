using Gimlet.Quic.Frames;

namespace Gimlet.Quic.Streams.States;

/// <summary>The sending part of a stream (RFC 9000 section 3.1): its data, its FIN and its reset. Knows nothing of other streams.</summary>
internal sealed class SendPart
{
    /// <summary>One stream of the pool's usual size: a write of 16 KiB is one copy.</summary>
    private const int SegmentBytes = 16 * 1024;

    /// <summary>
    /// Writing goes on when so much is free: a wake-up of the application for each packet would cost more than the packet. Half a share, so that
    /// the other half is on its way meanwhile.
    /// </summary>
    private const int WritableBytes = SendBudget.Share / 2;

    private const int WritableShare = 8;

    private readonly SendBudget _budget;
    private SendBuffer? _buffer;
    private bool _isFinAcknowledged;

    /// <summary>Makes a part in the state Ready.</summary>
    /// <param name="budget">Bounds the bytes held; the connection's.</param>
    /// <param name="limit">The peer's limit for the stream.</param>
    public SendPart(SendBudget budget, long limit)
    {
        _budget = budget;
        Limit = limit;
    }

    public SendState State { get; private set; }

    /// <summary>How far the peer lets us send on this stream.</summary>
    public long Limit { get; private set; }

    /// <summary>The limit that STREAM_DATA_BLOCKED told of; -1 for none.</summary>
    public long BlockedAt { get; set; } = -1;

    /// <summary>The end of what was sent at least once; the final size after a reset.</summary>
    public long Sent => _buffer?.Sent ?? 0;

    /// <summary>The end of what was written.</summary>
    public long Written => _buffer?.Written ?? 0;

    /// <summary>Whether the application ended its data.</summary>
    public bool IsFinQueued { get; private set; }

    /// <summary>Whether a FIN has to be sent, for the first time or again.</summary>
    public bool IsFinPending { get; private set; }

    /// <summary>The code of our reset.</summary>
    public long? ResetCode { get; private set; }

    /// <summary>The code of the peer's STOP_SENDING.</summary>
    public long? PeerStopCode { get; set; }

    /// <summary>Whether the application waits for room.</summary>
    public bool IsWriterWaiting { get; private set; }

    /// <summary>Data Recvd or Reset Recvd.</summary>
    public bool IsTerminal => State is SendState.DataReceived or SendState.ResetReceived;

    /// <summary>Whether no more data will be written.</summary>
    public bool IsFinished => IsFinQueued || ResetCode is not null || IsTerminal;

    /// <summary>Whether something must be sent that no flow control holds back: lost data, or only a FIN.</summary>
    public bool IsUrgent => ResetCode is null && (_buffer is { HasLost: true } || (IsFinPending && Sent == Written));

    /// <summary>Whether there is data that was never sent.</summary>
    public bool HasNew => Written > Sent;

    /// <summary>Bytes that <see cref="Write"/> takes.</summary>
    public int Room => IsFinished ? 0 : _budget.RoomOf(Buffered);

    private int Buffered => _buffer?.Buffered ?? 0;

    /// <summary>Takes what there is room for.</summary>
    public int Write(ReadOnlySpan<byte> data)
    {
        int length = Math.Min(Room, data.Length);
        if (length > 0)
        {
            _buffer ??= new SendBuffer(SegmentBytes);
            _buffer.Append(data[..length]);
            _budget.Change(length);
        }

        IsWriterWaiting = !IsFinished && Room == 0;
        return length;
    }

    /// <summary>Ends the data.</summary>
    public void Finish()
    {
        IsFinQueued = true;
        IsFinPending = true;
    }

    /// <summary>
    /// Gives up; what was not sent is dropped, and the final size is what was sent. RFC 9000 section 3.1: RESET_STREAM can be sent in the states
    /// "Ready", "Send" and "Data Sent".
    /// </summary>
    /// <returns>False when it is too late.</returns>
    public bool Reset(long errorCode)
    {
        if (ResetCode is not null || IsTerminal)
        {
            return false;
        }

        ResetCode = errorCode;
        State = SendState.ResetSent;
        Drop();
        return true;
    }

    /// <summary>MAX_STREAM_DATA. RFC 9000 section 4.1: a limit that is not larger than the last one says nothing.</summary>
    public bool Extend(long limit)
    {
        if (limit <= Limit)
        {
            return false;
        }

        Limit = limit;
        return true;
    }

    /// <summary>Something of the stream goes out: STREAM or STREAM_DATA_BLOCKED.</summary>
    public void OnSending()
    {
        if (State == SendState.Ready)
        {
            State = SendState.Send;
        }
    }

    /// <summary>Where the next STREAM frame begins and how much data it could have: lost data, then new, then a FIN alone.</summary>
    /// <param name="limit">New data must be in front of this offset.</param>
    /// <param name="offset">Where.</param>
    /// <param name="available">How much; 0 for a FIN alone.</param>
    public bool TryPeekNext(long limit, out long offset, out long available)
    {
        offset = Written;
        available = 0;
        if (_buffer is not null && _buffer.TryPeekNext(limit, out Buffers.ByteRange next))
        {
            offset = next.Start;
            available = next.Length;
            return true;
        }

        return IsFinPending && Sent == Written;
    }

    /// <summary>Takes what <see cref="TryPeekNext"/> showed and copies it.</summary>
    /// <param name="offset">From there.</param>
    /// <param name="limit">The same limit.</param>
    /// <param name="data">The room for it.</param>
    public void Take(long offset, long limit, Span<byte> data)
    {
        if (!data.IsEmpty)
        {
            _ = _buffer!.TryTake(data.Length, limit, out _, out _);
            _buffer.CopyTo(offset, data);
        }

        OnSending();
        if (IsLast(offset + data.Length))
        {
            IsFinPending = false;
            State = SendState.DataSent;
        }
    }

    /// <summary>Whether a frame that ends there has the FIN.</summary>
    public bool IsLast(long end) => IsFinQueued && end == Written;

    /// <summary>A STREAM frame was acknowledged.</summary>
    /// <param name="offset">Where it began.</param>
    /// <param name="length">Its data in bytes.</param>
    /// <param name="isFinal">Its FIN.</param>
    /// <returns>Whether the application can be told that there is room again.</returns>
    public bool OnAcknowledged(long offset, int length, bool isFinal)
    {
        if (ResetCode is not null || IsTerminal)
        {
            return false;
        }

        if (_buffer is { } buffer)
        {
            int before = buffer.Buffered;
            buffer.OnAcknowledged(offset, length);
            _budget.Change(buffer.Buffered - before);
        }

        if (isFinal)
        {
            _isFinAcknowledged = true;
            IsFinPending = false;
        }

        if (_isFinAcknowledged && Buffered == 0)
        {
            State = SendState.DataReceived;
            Drop();
            return false;
        }

        if (!IsWriterWaiting || Room < Math.Max(1, Math.Min(WritableBytes, _budget.Capacity / WritableShare)))
        {
            return false;
        }

        IsWriterWaiting = false;
        return true;
    }

    /// <summary>A STREAM frame was lost.</summary>
    public void OnLost(long offset, int length, bool isFinal)
    {
        // RFC 9000 section 13.3: "Once an endpoint sends a RESET_STREAM frame, no further STREAM frames are needed."
        if (ResetCode is not null || IsTerminal)
        {
            return;
        }

        if (length > 0)
        {
            _buffer?.OnLost(offset, length);
        }

        IsFinPending |= isFinal && !_isFinAcknowledged;
    }

    /// <summary>RESET_STREAM was acknowledged.</summary>
    /// <returns>False when it does not matter any more.</returns>
    public bool OnResetAcknowledged()
    {
        if (State != SendState.ResetSent)
        {
            return false;
        }

        State = SendState.ResetReceived;
        return true;
    }

    /// <summary>The connection is closed: nothing goes out.</summary>
    public void Abandon()
    {
        if (!IsTerminal)
        {
            State = SendState.ResetReceived;
            Drop();
        }
    }

    private void Drop()
    {
        IsFinPending = false;
        IsWriterWaiting = false;
        _budget.Change(-Buffered);
        _buffer?.Dispose();
    }
}
