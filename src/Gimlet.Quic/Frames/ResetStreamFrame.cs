using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>RESET_STREAM (RFC 9000 section 19.4): the sender gives up its part of a stream.</summary>
/// <param name="StreamId">The stream.</param>
/// <param name="ErrorCode">The application's code.</param>
/// <param name="FinalSize">How many bytes the stream has, sent or not: all of them count against flow control (RFC 9000 section 4.5).</param>
internal readonly record struct ResetStreamFrame(long StreamId, long ErrorCode, long FinalSize)
{
    /// <summary>The length in bytes.</summary>
    public int Length =>
        1 + VariableLengthInteger.LengthOf(StreamId) + VariableLengthInteger.LengthOf(ErrorCode) + VariableLengthInteger.LengthOf(FinalSize);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out ResetStreamFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type == FrameType.ResetStream);
        if (!reader.TryReadInteger(out long streamId)
            || !reader.TryReadInteger(out long errorCode)
            || !reader.TryReadInteger(out long finalSize))
        {
            return false;
        }

        frame = new ResetStreamFrame(streamId, errorCode, finalSize);
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.ResetStream);
        writer.WriteInteger(StreamId);
        writer.WriteInteger(ErrorCode);
        writer.WriteInteger(FinalSize);
        return true;
    }
}
