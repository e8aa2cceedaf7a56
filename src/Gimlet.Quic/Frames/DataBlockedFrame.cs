using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>DATA_BLOCKED (RFC 9000 section 19.12): the connection's limit keeps data back.</summary>
/// <param name="MaximumData">The limit in bytes.</param>
internal readonly record struct DataBlockedFrame(long MaximumData)
{
    /// <summary>The length in bytes.</summary>
    public int Length => 1 + VariableLengthInteger.LengthOf(MaximumData);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out DataBlockedFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type == FrameType.DataBlocked);
        if (!reader.TryReadInteger(out long maximumData))
        {
            return false;
        }

        frame = new DataBlockedFrame(maximumData);
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.DataBlocked);
        writer.WriteInteger(MaximumData);
        return true;
    }
}
