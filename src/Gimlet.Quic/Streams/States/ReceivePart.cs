using Gimlet.Quic.Frames;
using Gimlet.Quic.Streams.Buffers;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Streams.States;

/// <summary>
/// The receiving part of a stream (RFC 9000 section 3.2): its data, its final size and its reset. Knows nothing of other streams.
/// </summary>
internal sealed class ReceivePart
{
    private const int SegmentBytes = 16 * 1024;
    private const long Unknown = -1;

    private ReceiveBuffer? _buffer;
    private ReceiveWindow _window;
    private long _finalSize = Unknown;
    private long _returned;

    /// <summary>Makes a part in the state Recv.</summary>
    /// <param name="window">What the peer may send.</param>
    public ReceivePart(ReceiveWindow window) => _window = window;

    public ReceiveState State { get; private set; }

    /// <summary>What the peer may send on the stream.</summary>
    public ref ReceiveWindow Window => ref _window;

    /// <summary>The end of the last byte that came; the final size, once it is known. All of it counts against the connection's limit.</summary>
    public long Highest { get; private set; }

    /// <summary>The code of the peer's RESET_STREAM.</summary>
    public long? PeerResetCode { get; private set; }

    /// <summary>The code of our STOP_SENDING, or of what would be one: nothing is read any more.</summary>
    public long? StopCode { get; private set; }

    /// <summary>Data Read or Reset Read.</summary>
    public bool IsTerminal => State is ReceiveState.DataRead or ReceiveState.ResetRead;

    /// <summary>Whether all data up to the FIN was consumed.</summary>
    public bool IsReadEnd => State == ReceiveState.DataRead && StopCode is null;

    /// <summary>Whether the final size is known.</summary>
    public bool IsSizeKnown => _finalSize != Unknown;

    /// <summary>Bytes that can be read.</summary>
    public int Available => _buffer?.Available ?? 0;

    /// <summary>
    /// Whether MAX_STREAM_DATA is of use. RFC 9000 section 3.2: in the state "Size Known" "the endpoint no longer needs to send MAX_STREAM_DATA
    /// frames"; a stream that is not read any more gets no credit either.
    /// </summary>
    public bool IsWindowOfUse => State == ReceiveState.Receive && StopCode is null;

    /// <summary>Looks at a final size and at the stream's limit.</summary>
    /// <param name="end">Where the frame's data ends.</param>
    /// <param name="isFinal">Whether the stream ends there.</param>
    /// <param name="type">The frame.</param>
    public QuicError Check(long end, bool isFinal, FrameType type)
    {
        // RFC 9000 section 4.5: "Once a final size for a stream is known, it cannot change. If a RESET_STREAM or STREAM frame is received
        // indicating a change in the final size for the stream, an endpoint SHOULD respond with an error of type FINAL_SIZE_ERROR".
        if (IsSizeKnown && (end > _finalSize || (isFinal && end != _finalSize)))
        {
            return new QuicError(TransportErrorCode.FinalSizeError, type, "the final size of a stream changed");
        }

        // RFC 9000 section 20.1: FINAL_SIZE_ERROR is also for "a STREAM frame or a RESET_STREAM frame containing a final size that was lower
        // than the size of stream data that was already received".
        if (isFinal && end < Highest)
        {
            return new QuicError(TransportErrorCode.FinalSizeError, type, "the final size of a stream is smaller than its data");
        }

        // RFC 9000 section 4.1: "A receiver MUST close the connection with an error of type FLOW_CONTROL_ERROR if the sender violates the
        // advertised connection or stream data limits".
        return end > _window.Limit
            ? new QuicError(TransportErrorCode.FlowControlError, type, "more data on a stream than its limit")
            : QuicError.None;
    }

    /// <summary>Takes data that was checked.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="isReadable">Whether the application has something new: data, or the end.</param>
    /// <returns>False when the data is in too many pieces.</returns>
    public bool TryAccept(in StreamFrame frame, out bool isReadable)
    {
        isReadable = false;
        if (State is not (ReceiveState.Receive or ReceiveState.SizeKnown))
        {
            return true;
        }

        if (StopCode is null && !frame.Data.IsEmpty)
        {
            _buffer ??= new ReceiveBuffer(long.MaxValue, SegmentBytes);
            long contiguous = _buffer.Contiguous;
            if (!_buffer.TryAdd(frame.Offset, frame.Data))
            {
                return false;
            }

            isReadable = _buffer.Contiguous > contiguous;
        }

        Highest = Math.Max(Highest, frame.End);
        if (frame.IsFinal && !IsSizeKnown)
        {
            _finalSize = frame.End;
            State = ReceiveState.SizeKnown;
        }

        if (State == ReceiveState.SizeKnown)
        {
            isReadable |= TryEnd();
        }

        return true;
    }

    /// <summary>
    /// Takes a RESET_STREAM that was checked. Data that is not read is dropped, but where all of it is there: RFC 9000 section 3.2 permits to
    /// stay in "Data Recvd".
    /// </summary>
    /// <returns>Whether the application has to be told.</returns>
    public bool Reset(long errorCode, long finalSize)
    {
        if (State is not (ReceiveState.Receive or ReceiveState.SizeKnown))
        {
            return false;
        }

        PeerResetCode = errorCode;
        Highest = finalSize;
        _finalSize = finalSize;
        _buffer?.Dispose();

        // Who does not read need not be told.
        State = StopCode is null ? ReceiveState.ResetReceived : ReceiveState.ResetRead;
        return StopCode is null;
    }

    /// <summary>The application is told of the reset.</summary>
    public void OnResetTold()
    {
        if (State == ReceiveState.ResetReceived)
        {
            State = ReceiveState.ResetRead;
        }
    }

    /// <summary>Nothing is read any more.</summary>
    /// <param name="errorCode">For the peer.</param>
    /// <returns>Whether STOP_SENDING is of use: not when all data came, or a reset (RFC 9000 section 3.5).</returns>
    public bool Stop(long errorCode)
    {
        if (StopCode is not null || IsTerminal)
        {
            return false;
        }

        bool isOfUse = State is ReceiveState.Receive or ReceiveState.SizeKnown;
        StopCode = errorCode;
        _buffer?.Dispose();
        if (State == ReceiveState.ResetReceived)
        {
            State = ReceiveState.ResetRead;
        }
        else if (IsSizeKnown)
        {
            State = ReceiveState.DataRead;
        }

        return isOfUse;
    }

    public int Read(Span<byte> destination)
    {
        int length = _buffer?.ReadTo(destination) ?? 0;
        OnRead(length);
        return length;
    }

    public bool TryPeek(int skip, out ReadOnlyMemory<byte> memory)
    {
        memory = default;
        return _buffer?.TryPeek(skip, out memory) ?? false;
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Available);
        _buffer?.Advance(count);
        OnRead(count);
    }

    /// <summary>What the connection's window has not got back of this stream: what was read, and what will not be read.</summary>
    public long TakeUnreturned()
    {
        bool isDropped = StopCode is not null || PeerResetCode is not null;
        long end = isDropped ? Highest : _buffer?.Read ?? 0;
        long count = end - _returned;
        _returned = end;
        return count;
    }

    /// <summary>The connection is closed. What is there can still be read.</summary>
    public void Abandon()
    {
        if (!IsTerminal && Available == 0)
        {
            Release();
        }
    }

    /// <summary>Gives the memory back.</summary>
    public void Release()
    {
        _buffer?.Dispose();
        if (!IsTerminal)
        {
            State = ReceiveState.ResetRead;
        }
    }

    private void OnRead(int count)
    {
        _window.Consume(count);
        if (State == ReceiveState.DataReceived)
        {
            _ = TryEnd();
        }
    }

    // RFC 9000 section 3.2: "Data Recvd" once everything came, "Data Read" once the application has it.
    private bool TryEnd()
    {
        if (StopCode is not null)
        {
            State = ReceiveState.DataRead;
            return false;
        }

        if ((_buffer?.Contiguous ?? 0) != _finalSize)
        {
            return false;
        }

        State = Available == 0 ? ReceiveState.DataRead : ReceiveState.DataReceived;
        return true;
    }
}
