using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>MAX_STREAMS (RFC 9000 section 19.11): how many streams of a kind may be opened.</summary>
/// <param name="IsUnidirectional">Which kind.</param>
/// <param name="MaximumStreams">How many, since the beginning.</param>
internal readonly record struct MaxStreamsFrame(bool IsUnidirectional, long MaximumStreams)
{
    /// <summary>The length in bytes.</summary>
    public int Length => 1 + VariableLengthInteger.LengthOf(MaximumStreams);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out MaxStreamsFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type is FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional);
        if (!reader.TryReadInteger(out long maximumStreams))
        {
            return false;
        }

        // RFC 9000 section 19.11: "This value cannot exceed 2^60 ... Receipt of a frame that permits opening of a stream larger than this limit
        // MUST be treated as a FRAME_ENCODING_ERROR."
        if (maximumStreams > TransportParameters.MaxStreams)
        {
            return reader.Fail("a limit of more than 2^60 streams");
        }

        frame = new MaxStreamsFrame(reader.Type == FrameType.MaxStreamsUnidirectional, maximumStreams);
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)(IsUnidirectional ? FrameType.MaxStreamsUnidirectional : FrameType.MaxStreamsBidirectional));
        writer.WriteInteger(MaximumStreams);
        return true;
    }
}
