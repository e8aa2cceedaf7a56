using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>STOP_SENDING (RFC 9000 section 19.5): what comes on a stream is not read any more.</summary>
/// <param name="StreamId">The stream.</param>
/// <param name="ErrorCode">The application's code.</param>
internal readonly record struct StopSendingFrame(long StreamId, long ErrorCode)
{
    /// <summary>The length in bytes.</summary>
    public int Length => 1 + VariableLengthInteger.LengthOf(StreamId) + VariableLengthInteger.LengthOf(ErrorCode);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out StopSendingFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type == FrameType.StopSending);
        if (!reader.TryReadInteger(out long streamId)
            || !reader.TryReadInteger(out long errorCode))
        {
            return false;
        }

        frame = new StopSendingFrame(streamId, errorCode);
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.StopSending);
        writer.WriteInteger(StreamId);
        writer.WriteInteger(ErrorCode);
        return true;
    }
}
