using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>STREAMS_BLOCKED (RFC 9000 section 19.14): the limit of streams keeps one from being opened.</summary>
/// <param name="IsUnidirectional">Which kind.</param>
/// <param name="MaximumStreams">The limit.</param>
internal readonly record struct StreamsBlockedFrame(bool IsUnidirectional, long MaximumStreams)
{
    /// <summary>The length in bytes.</summary>
    public int Length => 1 + VariableLengthInteger.LengthOf(MaximumStreams);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out StreamsBlockedFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type is FrameType.StreamsBlockedBidirectional or FrameType.StreamsBlockedUnidirectional);
        if (!reader.TryReadInteger(out long maximumStreams))
        {
            return false;
        }

        // RFC 9000 section 19.14: "Receipt of a frame that encodes a larger stream ID MUST be treated as a connection error of type
        // STREAM_LIMIT_ERROR or FRAME_ENCODING_ERROR."
        if (maximumStreams > TransportParameters.MaxStreams)
        {
            return reader.Fail("a limit of more than 2^60 streams");
        }

        frame = new StreamsBlockedFrame(reader.Type == FrameType.StreamsBlockedUnidirectional, maximumStreams);
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)(IsUnidirectional ? FrameType.StreamsBlockedUnidirectional : FrameType.StreamsBlockedBidirectional));
        writer.WriteInteger(MaximumStreams);
        return true;
    }
}
