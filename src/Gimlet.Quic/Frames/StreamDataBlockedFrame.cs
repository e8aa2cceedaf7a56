using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>STREAM_DATA_BLOCKED (RFC 9000 section 19.13): a stream's limit keeps data back.</summary>
/// <param name="StreamId">The stream.</param>
/// <param name="MaximumStreamData">The limit in bytes.</param>
internal readonly record struct StreamDataBlockedFrame(long StreamId, long MaximumStreamData)
{
    /// <summary>The length in bytes.</summary>
    public int Length => 1 + VariableLengthInteger.LengthOf(StreamId) + VariableLengthInteger.LengthOf(MaximumStreamData);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out StreamDataBlockedFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type == FrameType.StreamDataBlocked);
        if (!reader.TryReadInteger(out long streamId)
            || !reader.TryReadInteger(out long maximumStreamData))
        {
            return false;
        }

        frame = new StreamDataBlockedFrame(streamId, maximumStreamData);
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.StreamDataBlocked);
        writer.WriteInteger(StreamId);
        writer.WriteInteger(MaximumStreamData);
        return true;
    }
}
