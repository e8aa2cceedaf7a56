using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>CRYPTO (RFC 9000 section 19.6): bytes of the handshake.</summary>
internal readonly ref struct CryptoFrame
{
    public CryptoFrame(long offset, ReadOnlySpan<byte> data)
    {
        Offset = offset;
        Data = data;
    }

    /// <summary>Where the data begins in its encryption level's stream.</summary>
    public long Offset { get; }

    /// <summary>The bytes; they lie in the packet.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out CryptoFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type == FrameType.Crypto);
        if (!reader.TryReadInteger(out long offset)
            || !reader.TryReadInteger(out long length)
            || !reader.TryReadBytes(length, out ReadOnlySpan<byte> data))
        {
            return false;
        }

        // RFC 9000 section 19.6: "The largest offset delivered on a stream -- the sum of the offset and data length -- cannot exceed 2^62-1.
        // Receipt of a frame that exceeds this limit MUST be treated as a connection error of type FRAME_ENCODING_ERROR or
        // CRYPTO_BUFFER_EXCEEDED."
        if (offset > VariableLengthInteger.MaxValue - data.Length)
        {
            return reader.Fail("handshake data beyond 2^62 - 1");
        }

        frame = new CryptoFrame(offset, data);
        return true;
    }

    /// <summary>The length of a frame in bytes.</summary>
    public static int LengthOf(long offset, int dataLength) =>
        1 + VariableLengthInteger.LengthOf(offset) + VariableLengthInteger.LengthOf(dataLength) + dataLength;

    /// <summary>How much data a frame can carry.</summary>
    /// <param name="available">The room for the whole frame, in bytes.</param>
    /// <param name="offset">Where the data begins.</param>
    /// <returns>In bytes; negative where not even an empty frame fits.</returns>
    public static int MaxDataLength(int available, long offset) => FrameRoom.ForData(available, 1 + VariableLengthInteger.LengthOf(offset));

    /// <summary>Writes a frame but its data, which the caller copies into <paramref name="data"/>; nothing when it does not fit.</summary>
    public static bool TryReserve(ref WireWriter writer, long offset, int dataLength, out Span<byte> data)
    {
        data = default;
        if (writer.Remaining < LengthOf(offset, dataLength))
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.Crypto);
        writer.WriteInteger(offset);
        writer.WriteInteger(dataLength);
        data = writer.Reserve(dataLength);
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(scoped ref WireWriter writer)
    {
        if (!TryReserve(ref writer, Offset, Data.Length, out Span<byte> data))
        {
            return false;
        }

        Data.CopyTo(data);
        return true;
    }
}
