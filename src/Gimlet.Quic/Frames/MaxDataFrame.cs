using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>MAX_DATA (RFC 9000 section 19.9): how much may be sent on the connection as a whole.</summary>
/// <param name="MaximumData">In bytes, since the beginning.</param>
internal readonly record struct MaxDataFrame(long MaximumData)
{
    /// <summary>The length in bytes.</summary>
    public int Length => 1 + VariableLengthInteger.LengthOf(MaximumData);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out MaxDataFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type == FrameType.MaxData);
        if (!reader.TryReadInteger(out long maximumData))
        {
            return false;
        }

        frame = new MaxDataFrame(maximumData);
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.MaxData);
        writer.WriteInteger(MaximumData);
        return true;
    }
}
