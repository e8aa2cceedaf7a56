using Gimlet.Quic.Frames;
using Gimlet.Quic.Streams.Scheduling;
using Gimlet.Quic.Streams.States;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Streams;

/// <summary>Frames in. Each gives the error that ends the connection, or none.</summary>
internal sealed partial class StreamSet
{
    /// <summary>STREAM (RFC 9000 section 19.8).</summary>
    public QuicError Handle(in StreamFrame frame)
    {
        QuicError error = Resolve(frame.StreamId, FrameType.Stream, isForSending: false, out QuicStreamState? stream);
        if (stream?.Receiving is not { } part)
        {
            return error;
        }

        error = part.Check(frame.End, frame.IsFinal, FrameType.Stream);
        if (error.IsError)
        {
            return error;
        }

        error = CountReceived(part, frame.End, FrameType.Stream);
        if (error.IsError)
        {
            return error;
        }

        if (!part.TryAccept(frame, out bool isReadable))
        {
            // No rule of the RFC is broken, but section 21.7 lets us end connections that make us keep too much.
            return new QuicError(TransportErrorCode.InternalError, FrameType.Stream, "a stream's data is in too many pieces");
        }

        if (isReadable)
        {
            Raise(stream, StreamEventKind.Readable);
        }

        AfterReceiving(stream, part);
        return QuicError.None;
    }

    /// <summary>RESET_STREAM (RFC 9000 section 19.4).</summary>
    public QuicError Handle(in ResetStreamFrame frame)
    {
        QuicError error = Resolve(frame.StreamId, FrameType.ResetStream, isForSending: false, out QuicStreamState? stream);
        if (stream?.Receiving is not { } part)
        {
            return error;
        }

        error = part.Check(frame.FinalSize, isFinal: true, FrameType.ResetStream);
        if (error.IsError)
        {
            return error;
        }

        error = CountReceived(part, frame.FinalSize, FrameType.ResetStream);
        if (error.IsError)
        {
            return error;
        }

        if (part.Reset(frame.ErrorCode, frame.FinalSize))
        {
            Raise(stream, StreamEventKind.PeerReset);
        }

        AfterReceiving(stream, part);
        return QuicError.None;
    }

    /// <summary>STOP_SENDING (RFC 9000 section 19.5).</summary>
    public QuicError Handle(in StopSendingFrame frame)
    {
        QuicError error = Resolve(frame.StreamId, FrameType.StopSending, isForSending: true, out QuicStreamState? stream);
        if (stream?.Sending is not { } part || part.IsTerminal || part.PeerStopCode is not null)
        {
            return error;
        }

        part.PeerStopCode = frame.ErrorCode;
        Raise(stream, StreamEventKind.PeerStopped);

        // RFC 9000 section 3.5: "An endpoint that receives a STOP_SENDING frame MUST send a RESET_STREAM frame if the stream is in the "Ready"
        // or "Send" state." In "Data Sent" it may wait for what is lost; what nobody reads need not be sent again, so it is reset at once. "An
        // endpoint SHOULD copy the error code from the STOP_SENDING frame to the RESET_STREAM frame it sends".
        if (part.Reset(frame.ErrorCode))
        {
            OnReset(stream);
        }

        return QuicError.None;
    }

    /// <summary>MAX_DATA (RFC 9000 section 19.9).</summary>
    public QuicError Handle(in MaxDataFrame frame)
    {
        if (frame.MaximumData > _limit && !IsConnectionClosed)
        {
            _limit = frame.MaximumData;
            _pending &= ~SetFrames.DataBlocked;
        }

        return QuicError.None;
    }

    /// <summary>MAX_STREAM_DATA (RFC 9000 section 19.10).</summary>
    public QuicError Handle(in MaxStreamDataFrame frame)
    {
        QuicError error = Resolve(frame.StreamId, FrameType.MaxStreamData, isForSending: true, out QuicStreamState? stream);
        if (stream?.Sending is { } part && part.Extend(frame.MaximumStreamData))
        {
            Remove(stream, StreamFrames.StreamDataBlocked);
            OnSendPartChanged(stream);
        }

        return error;
    }

    /// <summary>MAX_STREAMS (RFC 9000 section 19.11).</summary>
    public QuicError Handle(in MaxStreamsFrame frame)
    {
        if (!IsConnectionClosed)
        {
            ExtendStreams(frame.IsUnidirectional ? StreamDirection.Unidirectional : StreamDirection.Bidirectional, frame.MaximumStreams);
        }

        return QuicError.None;
    }

    /// <summary>DATA_BLOCKED (RFC 9000 section 19.12): the peer waits, so a limit that can move moves now.</summary>
    public QuicError Handle(in DataBlockedFrame frame)
    {
        if (_window.CanMove && frame.MaximumData >= _window.Limit && !IsConnectionClosed)
        {
            _pending |= SetFrames.MaxData;
        }

        return QuicError.None;
    }

    /// <summary>STREAM_DATA_BLOCKED (RFC 9000 section 19.13).</summary>
    public QuicError Handle(in StreamDataBlockedFrame frame)
    {
        QuicError error = Resolve(frame.StreamId, FrameType.StreamDataBlocked, isForSending: false, out QuicStreamState? stream);
        if (stream?.Receiving is { } part && part.IsWindowOfUse && part.Window.CanMove && frame.MaximumStreamData >= part.Window.Limit)
        {
            Add(stream, StreamFrames.MaxStreamData);
        }

        return error;
    }

    /// <summary>STREAMS_BLOCKED (RFC 9000 section 19.14).</summary>
    public QuicError Handle(in StreamsBlockedFrame frame)
    {
        StreamDirection direction = frame.IsUnidirectional ? StreamDirection.Unidirectional : StreamDirection.Bidirectional;
        ref PeerStreams peers = ref Peers(direction);
        if (peers.CanMove && frame.MaximumStreams >= peers.Limit && !IsConnectionClosed)
        {
            _pending |= Shift(SetFrames.MaxStreams, direction);
        }

        return QuicError.None;
    }

    /// <summary>Finds the stream of a frame, and opens it where the peer may.</summary>
    /// <param name="id">The frame's stream.</param>
    /// <param name="type">The frame.</param>
    /// <param name="isForSending">Whether the frame is about our sending part.</param>
    /// <param name="stream">The stream, or null: an error, or it is over and the frame came late.</param>
    private QuicError Resolve(long id, FrameType type, bool isForSending, out QuicStreamState? stream)
    {
        stream = null;
        if (IsConnectionClosed)
        {
            return QuicError.None;
        }

        var streamId = new StreamId(id);
        bool isLocal = streamId.Initiator == _role;

        // RFC 9000 sections 19.4, 19.8 and 19.13 for streams that only we send on; sections 19.5 and 19.10 for those that only the peer sends on.
        if (streamId.Direction == StreamDirection.Unidirectional && isLocal != isForSending)
        {
            return new QuicError(TransportErrorCode.StreamStateError, type, "a frame for a part that the stream does not have");
        }

        if (TryFind(id, out stream))
        {
            return QuicError.None;
        }

        if (isLocal)
        {
            // RFC 9000 section 19.8: "An endpoint MUST terminate the connection with error STREAM_STATE_ERROR if it receives a STREAM frame for
            // a locally initiated stream that has not yet been created, or for a send-only stream." Sections 19.5 and 19.10 say the same of
            // their frames.
            return streamId.Index >= Local(streamId.Direction).Opened
                ? new QuicError(TransportErrorCode.StreamStateError, type, "a frame for a stream that we have not opened")
                : QuicError.None;
        }

        return OpenUpTo(streamId, type, out stream);
    }

    private QuicError OpenUpTo(StreamId id, FrameType type, out QuicStreamState? stream)
    {
        stream = null;
        ref PeerStreams peers = ref Peers(id.Direction);

        // RFC 9000 section 4.6: "An endpoint that receives a frame with a stream ID exceeding the limit it has sent MUST treat this as a
        // connection error of type STREAM_LIMIT_ERROR".
        if (id.Index >= peers.Limit)
        {
            return new QuicError(TransportErrorCode.StreamLimitError, type, "a stream beyond the limit");
        }

        // RFC 9000 section 3.2: "Before a stream is created, all streams of the same type with lower-numbered stream IDs MUST be created." As
        // many as the limit permits to be open.
        while (peers.Opened <= id.Index)
        {
            stream = Create(StreamId.Create(id.Initiator, id.Direction, peers.Opened), isLocal: false);
            peers.Opened++;
            Raise(stream, StreamEventKind.Opened);
        }

        return QuicError.None;
    }

    private QuicError CountReceived(ReceivePart part, long end, FrameType type)
    {
        long count = end - part.Highest;
        if (count <= 0)
        {
            return QuicError.None;
        }

        // RFC 9000 section 4.1, and section 4.5 for a final size: all bytes of a stream count, whether they came or not.
        if (count > _window.Limit - _received)
        {
            return new QuicError(TransportErrorCode.FlowControlError, type, "more data than the connection's limit");
        }

        _received += count;
        return QuicError.None;
    }

    private void AfterReceiving(QuicStreamState stream, ReceivePart part)
    {
        if (!part.IsWindowOfUse)
        {
            Remove(stream, StreamFrames.MaxStreamData);
            Return(part);
        }

        if (part.IsTerminal)
        {
            Remove(stream, StreamFrames.StopSending);
            OnPartChanged(stream);
        }
    }
}
