using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>MAX_STREAM_DATA (RFC 9000 section 19.10): how much may be sent on a stream.</summary>
/// <param name="StreamId">The stream.</param>
/// <param name="MaximumStreamData">In bytes, since the beginning.</param>
internal readonly record struct MaxStreamDataFrame(long StreamId, long MaximumStreamData)
{
    /// <summary>The length in bytes.</summary>
    public int Length => 1 + VariableLengthInteger.LengthOf(StreamId) + VariableLengthInteger.LengthOf(MaximumStreamData);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out MaxStreamDataFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type == FrameType.MaxStreamData);
        if (!reader.TryReadInteger(out long streamId)
            || !reader.TryReadInteger(out long maximumStreamData))
        {
            return false;
        }

        frame = new MaxStreamDataFrame(streamId, maximumStreamData);
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.MaxStreamData);
        writer.WriteInteger(StreamId);
        writer.WriteInteger(MaximumStreamData);
        return true;
    }
}
