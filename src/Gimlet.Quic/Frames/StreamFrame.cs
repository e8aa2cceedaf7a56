using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>STREAM (RFC 9000 section 19.8): bytes of a stream.</summary>
internal readonly ref struct StreamFrame
{
    private const int FinBit = 0x01;
    private const int LengthBit = 0x02;
    private const int OffsetBit = 0x04;

    public StreamFrame(long streamId, long offset, ReadOnlySpan<byte> data, bool isFinal)
    {
        StreamId = streamId;
        Offset = offset;
        Data = data;
        IsFinal = isFinal;
    }

    /// <summary>The stream.</summary>
    public long StreamId { get; }

    /// <summary>Where the data begins.</summary>
    public long Offset { get; }

    /// <summary>The bytes; they lie in the packet. May be empty.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>FIN: the stream ends with this data.</summary>
    public bool IsFinal { get; }

    /// <summary>Where the data ends; the final size of the stream where <see cref="IsFinal"/>.</summary>
    public long End => Offset + Data.Length;

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out StreamFrame frame)
    {
        frame = default;
        reader.BeginBody(FrameRules.IsStream(reader.Type));
        int flags = (int)reader.Type;
        long offset = 0;
        if (!reader.TryReadInteger(out long streamId) || ((flags & OffsetBit) != 0 && !reader.TryReadInteger(out offset)))
        {
            return false;
        }

        // RFC 9000 section 19.8: "When the LEN bit is set to 0, the Stream Data field consumes all the remaining bytes in the packet."
        ReadOnlySpan<byte> data;
        if ((flags & LengthBit) == 0)
        {
            data = reader.ReadRest();
        }
        else if (!reader.TryReadInteger(out long length) || !reader.TryReadBytes(length, out data))
        {
            return false;
        }

        // RFC 9000 section 19.8: "The largest offset delivered on a stream ... cannot exceed 2^62-1 ... Receipt of a frame that exceeds this limit
        // MUST be treated as a connection error of type FRAME_ENCODING_ERROR or FLOW_CONTROL_ERROR."
        if (offset > VariableLengthInteger.MaxValue - data.Length)
        {
            return reader.Fail("stream data beyond 2^62 - 1");
        }

        frame = new StreamFrame(streamId, offset, data, (flags & FinBit) != 0);
        return true;
    }

    /// <summary>The length of a frame in bytes.</summary>
    /// <param name="streamId">The stream.</param>
    /// <param name="offset">Where the data begins.</param>
    /// <param name="dataLength">The data in bytes.</param>
    /// <param name="fillsPacket">Whether the frame is the packet's last and has no Length field.</param>
    public static int LengthOf(long streamId, long offset, int dataLength, bool fillsPacket) =>
        HeadLength(streamId, offset) + (fillsPacket ? 0 : VariableLengthInteger.LengthOf(dataLength)) + dataLength;

    /// <summary>How much data a frame can carry.</summary>
    /// <param name="available">The room for the whole frame, in bytes.</param>
    /// <param name="streamId">The stream.</param>
    /// <param name="offset">Where the data begins.</param>
    /// <param name="fillsPacket">Whether the frame is the packet's last and has no Length field.</param>
    /// <returns>In bytes; negative where not even an empty frame fits.</returns>
    public static int MaxDataLength(int available, long streamId, long offset, bool fillsPacket)
    {
        int head = HeadLength(streamId, offset);
        return fillsPacket ? available - head : FrameRoom.ForData(available, head);
    }

    /// <summary>
    /// Writes a frame but its data, which the caller copies into <paramref name="data"/> from where it is kept; nothing when it does not fit.
    /// </summary>
    /// <param name="writer">The payload.</param>
    /// <param name="streamId">The stream.</param>
    /// <param name="offset">Where the data begins.</param>
    /// <param name="dataLength">The data in bytes.</param>
    /// <param name="isFinal">FIN.</param>
    /// <param name="fillsPacket">Leaves the Length field out: nothing may follow in this packet, not even PADDING.</param>
    /// <param name="data">The room for the data.</param>
    public static bool TryReserve(
        ref WireWriter writer, long streamId, long offset, int dataLength, bool isFinal, bool fillsPacket, out Span<byte> data)
    {
        data = default;
        if (writer.Remaining < LengthOf(streamId, offset, dataLength, fillsPacket))
        {
            return false;
        }

        writer.WriteByte(
            (byte)((int)FrameType.Stream | (isFinal ? FinBit : 0) | (fillsPacket ? 0 : LengthBit) | (offset == 0 ? 0 : OffsetBit)));
        writer.WriteInteger(streamId);
        if (offset != 0)
        {
            writer.WriteInteger(offset);
        }

        if (!fillsPacket)
        {
            writer.WriteInteger(dataLength);
        }

        data = writer.Reserve(dataLength);
        return true;
    }

    /// <summary>Writes the frame with a Length field, if it fits.</summary>
    public bool TryWrite(scoped ref WireWriter writer)
    {
        if (!TryReserve(ref writer, StreamId, Offset, Data.Length, IsFinal, fillsPacket: false, out Span<byte> data))
        {
            return false;
        }

        Data.CopyTo(data);
        return true;
    }

    private static int HeadLength(long streamId, long offset) =>
        1 + VariableLengthInteger.LengthOf(streamId) + (offset == 0 ? 0 : VariableLengthInteger.LengthOf(offset));
}
