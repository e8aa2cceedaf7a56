using System.Numerics;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Streams.Scheduling;
using Gimlet.Quic.Streams.States;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Streams;

/// <summary>Frames out.</summary>
internal sealed partial class StreamSet
{
    /// <summary>
    /// How many bytes a stream sends before it is the next one's turn: a packet. So streams share evenly, and the loss of a packet stops one
    /// stream and not all.
    /// </summary>
    private const int TurnBytes = 1200;

    /// <summary>
    /// RESET_STREAM of a type and three integers is the longest of the control frames. Where it does not fit, none is begun: limits move only
    /// when they are told.
    /// </summary>
    private const int MaxControlLength = 1 + (3 * VariableLengthInteger.MaxLength);

    /// <summary>The FIN bit in the type of a STREAM frame, as <see cref="SentFrame"/> keeps it.</summary>
    private const FrameType FinBit = (FrameType)0x01;

    private int _turnLeft = TurnBytes;

    /// <summary>Whether <see cref="WriteFrames"/> has something to write: control frames, or data that flow control lets through.</summary>
    public bool HasFramesToSend =>
        _pending != SetFrames.None || _control.First is not null || _urgent.First is not null || (_new.First is not null && _sent < _limit);

    /// <summary>
    /// Writes what fits: control frames, then lost data, then new data of one stream after the other. What is written counts as sent, and each
    /// frame's fate must be told. Nothing is written where not even the first frame fits; 64 bytes are always enough for one.
    /// </summary>
    /// <param name="writer">The packet's payload.</param>
    /// <param name="sent">Where the frames are noted.</param>
    /// <param name="mayFillPacket">Whether the last frame may leave its Length field out: nothing may follow, not even PADDING.</param>
    public void WriteFrames(ref WireWriter writer, SentFrameList sent, bool mayFillPacket)
    {
        if (IsConnectionClosed || !TryWriteControlFrames(ref writer, sent))
        {
            return;
        }

        while (_urgent.First is { } stream)
        {
            if (!TryWriteStream(ref writer, sent, stream, mayFillPacket))
            {
                return;
            }
        }

        while (_new.First is { } stream && _sent < _limit)
        {
            long before = _sent;
            if (!TryWriteStream(ref writer, sent, stream, mayFillPacket))
            {
                return;
            }

            TakeTurn(stream, (int)(_sent - before));
        }
    }

    private void TakeTurn(QuicStreamState stream, int length)
    {
        _turnLeft -= length;
        if (_new.First != stream)
        {
            _turnLeft = TurnBytes;
        }
        else if (_turnLeft <= 0)
        {
            _new.Rotate();
            _turnLeft = TurnBytes;
        }
    }

    private bool TryWriteControlFrames(ref WireWriter writer, SentFrameList sent)
    {
        while (_pending != SetFrames.None)
        {
            if (writer.Remaining < MaxControlLength)
            {
                return false;
            }

            var next = (SetFrames)(1 << BitOperations.TrailingZeroCount((int)_pending));
            _pending &= ~next;
            sent.Add(WriteSetFrame(ref writer, next));
        }

        while (_control.First is { } stream)
        {
            if (writer.Remaining < MaxControlLength)
            {
                return false;
            }

            var next = (StreamFrames)(1 << BitOperations.TrailingZeroCount((int)stream.PendingFrames));
            Remove(stream, next);
            sent.Add(WriteStreamFrame(ref writer, next, stream));
        }

        return true;
    }

    private SentFrame WriteSetFrame(ref WireWriter writer, SetFrames which)
    {
        switch (which)
        {
            case SetFrames.MaxData:
                long maximum = _window.Update(_now, _roundTrip);
                _ = new MaxDataFrame(maximum).TryWrite(ref writer);
                return new SentFrame(FrameType.MaxData, Offset: maximum);
            case SetFrames.DataBlocked:
                _ = new DataBlockedFrame(_limit).TryWrite(ref writer);
                return new SentFrame(FrameType.DataBlocked, Offset: _limit);
            case SetFrames.MaxStreams:
                return WriteMaxStreams(ref writer, FrameType.MaxStreamsBidirectional, _peerBidirectional.Update());
            case SetFrames.MaxStreamsUnidirectional:
                return WriteMaxStreams(ref writer, FrameType.MaxStreamsUnidirectional, _peerUnidirectional.Update());
            case SetFrames.StreamsBlocked:
                return WriteStreamsBlocked(ref writer, FrameType.StreamsBlockedBidirectional, _localBidirectional.Limit);
            default:
                return WriteStreamsBlocked(ref writer, FrameType.StreamsBlockedUnidirectional, _localUnidirectional.Limit);
        }
    }

    private static SentFrame WriteMaxStreams(ref WireWriter writer, FrameType type, long maximum)
    {
        _ = new MaxStreamsFrame(type == FrameType.MaxStreamsUnidirectional, maximum).TryWrite(ref writer);
        return new SentFrame(type, Offset: maximum);
    }

    private static SentFrame WriteStreamsBlocked(ref WireWriter writer, FrameType type, long limit)
    {
        _ = new StreamsBlockedFrame(type == FrameType.StreamsBlockedUnidirectional, limit).TryWrite(ref writer);
        return new SentFrame(type, Offset: limit);
    }

    private SentFrame WriteStreamFrame(ref WireWriter writer, StreamFrames which, QuicStreamState stream)
    {
        switch (which)
        {
            case StreamFrames.ResetStream:
                _ = new ResetStreamFrame(stream.Id, stream.Sending!.ResetCode!.Value, stream.Sending.Sent).TryWrite(ref writer);
                return new SentFrame(FrameType.ResetStream, stream.Id);
            case StreamFrames.StopSending:
                _ = new StopSendingFrame(stream.Id, stream.Receiving!.StopCode!.Value).TryWrite(ref writer);
                return new SentFrame(FrameType.StopSending, stream.Id);
            case StreamFrames.MaxStreamData:
                long maximum = MoveWindow(stream.Receiving!);
                _ = new MaxStreamDataFrame(stream.Id, maximum).TryWrite(ref writer);
                return new SentFrame(FrameType.MaxStreamData, stream.Id, maximum);
            default:
                long limit = stream.Sending!.Limit;
                _ = new StreamDataBlockedFrame(stream.Id, limit).TryWrite(ref writer);
                stream.Sending.OnSending();
                return new SentFrame(FrameType.StreamDataBlocked, stream.Id, limit);
        }
    }

    private long MoveWindow(ReceivePart part)
    {
        long limit = part.Window.Update(_now, _roundTrip);
        _window.Grow(_settings.ConnectionWindowFor(part.Window.Size));
        return limit;
    }

    private bool TryWriteStream(ref WireWriter writer, SentFrameList sent, QuicStreamState stream, bool mayFillPacket)
    {
        SendPart part = stream.Sending!;
        long before = part.Sent;
        long limit = Math.Min(part.Limit, before + _limit - _sent);
        _ = part.TryPeekNext(limit, out long offset, out long available);
        int room = StreamFrame.MaxDataLength(writer.Remaining, stream.Id, offset, fillsPacket: false);
        bool fillsPacket = false;
        if (mayFillPacket && available > room)
        {
            // Without the Length field the frame must reach the packet's end.
            int whole = StreamFrame.MaxDataLength(writer.Remaining, stream.Id, offset, fillsPacket: true);
            fillsPacket = available >= whole;
            room = fillsPacket ? whole : room;
        }

        int length = (int)Math.Min(available, room);
        if (length < 0 || (length == 0 && available > 0))
        {
            return false;
        }

        bool isFinal = part.IsLast(offset + length);
        if (!StreamFrame.TryReserve(ref writer, stream.Id, offset, length, isFinal, fillsPacket, out Span<byte> data))
        {
            return false;
        }

        part.Take(offset, limit, data);
        _sent += part.Sent - before;
        sent.Add(new SentFrame(isFinal ? FrameType.Stream | FinBit : FrameType.Stream, stream.Id, offset, length));
        OnSendPartChanged(stream);
        return true;
    }
}
