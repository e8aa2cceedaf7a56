using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>RETIRE_CONNECTION_ID (RFC 9000 section 19.16): an id of the receiver's is not used any more.</summary>
/// <param name="SequenceNumber">The number that the id was issued with.</param>
internal readonly record struct RetireConnectionIdFrame(long SequenceNumber)
{
    /// <summary>The length in bytes.</summary>
    public int Length => 1 + VariableLengthInteger.LengthOf(SequenceNumber);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out RetireConnectionIdFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type == FrameType.RetireConnectionId);
        if (!reader.TryReadInteger(out long sequenceNumber))
        {
            return false;
        }

        frame = new RetireConnectionIdFrame(sequenceNumber);
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.RetireConnectionId);
        writer.WriteInteger(SequenceNumber);
        return true;
    }
}
