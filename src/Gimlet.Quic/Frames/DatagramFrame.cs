using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>
/// DATAGRAM (RFC 9221 section 4): data that is not sent again. Its size limit, max_datagram_frame_size, counts the whole frame: on reading
/// <see cref="FrameReader.FrameLength"/>.
/// </summary>
internal readonly ref struct DatagramFrame
{
    public DatagramFrame(ReadOnlySpan<byte> data) => Data = data;

    /// <summary>The bytes; they lie in the packet. May be empty.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out DatagramFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type is FrameType.Datagram or FrameType.DatagramWithLength);
        ReadOnlySpan<byte> data;

        // RFC 9221 section 4: "If this bit is set to 0, the Length field is absent and the Datagram Data field extends to the end of the packet".
        if (reader.Type == FrameType.Datagram)
        {
            data = reader.ReadRest();
        }
        else if (!reader.TryReadInteger(out long length) || !reader.TryReadBytes(length, out data))
        {
            return false;
        }

        frame = new DatagramFrame(data);
        return true;
    }

    /// <summary>The length of a frame in bytes.</summary>
    /// <param name="dataLength">The data in bytes.</param>
    /// <param name="fillsPacket">Whether the frame is the packet's last and has no Length field.</param>
    public static int LengthOf(int dataLength, bool fillsPacket) =>
        1 + (fillsPacket ? 0 : VariableLengthInteger.LengthOf(dataLength)) + dataLength;

    /// <summary>How much data a frame can carry.</summary>
    /// <param name="available">The room for the whole frame, in bytes.</param>
    /// <param name="fillsPacket">Whether the frame is the packet's last and has no Length field.</param>
    /// <returns>In bytes; negative where not even an empty frame fits.</returns>
    public static int MaxDataLength(int available, bool fillsPacket) => fillsPacket ? available - 1 : FrameRoom.ForData(available, 1);

    /// <summary>Writes a frame but its data, which the caller copies into <paramref name="data"/>; nothing when it does not fit.</summary>
    /// <param name="writer">The payload.</param>
    /// <param name="dataLength">The data in bytes.</param>
    /// <param name="fillsPacket">Leaves the Length field out: nothing may follow in this packet, not even PADDING.</param>
    /// <param name="data">The room for the data.</param>
    public static bool TryReserve(ref WireWriter writer, int dataLength, bool fillsPacket, out Span<byte> data)
    {
        data = default;
        if (writer.Remaining < LengthOf(dataLength, fillsPacket))
        {
            return false;
        }

        writer.WriteByte((byte)(fillsPacket ? FrameType.Datagram : FrameType.DatagramWithLength));
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
        if (!TryReserve(ref writer, Data.Length, fillsPacket: false, out Span<byte> data))
        {
            return false;
        }

        Data.CopyTo(data);
        return true;
    }
}
