using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>NEW_CONNECTION_ID (RFC 9000 section 19.15): one more id by which the sender can be reached.</summary>
/// <param name="SequenceNumber">The id's number.</param>
/// <param name="RetirePriorTo">Ids with smaller numbers must be retired.</param>
/// <param name="ConnectionId">1 to 20 bytes.</param>
/// <param name="ResetToken">The token of stateless resets for this id.</param>
internal readonly record struct NewConnectionIdFrame(
    long SequenceNumber, long RetirePriorTo, ConnectionId ConnectionId, StatelessResetToken ResetToken)
{
    /// <summary>The length in bytes.</summary>
    public int Length =>
        1 + VariableLengthInteger.LengthOf(SequenceNumber) + VariableLengthInteger.LengthOf(RetirePriorTo)
        + 1 + ConnectionId.Length + StatelessResetToken.Length;

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out NewConnectionIdFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type == FrameType.NewConnectionId);
        if (!reader.TryReadInteger(out long sequenceNumber)
            || !reader.TryReadInteger(out long retirePriorTo)
            || !reader.TryReadByte(out byte length))
        {
            return false;
        }

        // RFC 9000 section 19.15: "Receiving a value in the Retire Prior To field that is greater than that in the Sequence Number field MUST
        // be treated as a connection error of type FRAME_ENCODING_ERROR."
        if (retirePriorTo > sequenceNumber)
        {
            return reader.Fail("Retire Prior To is greater than Sequence Number");
        }

        // RFC 9000 section 19.15: "Values less than 1 and greater than 20 are invalid and MUST be treated as a connection error of type
        // FRAME_ENCODING_ERROR."
        if (length is 0 or > ConnectionId.MaxLength)
        {
            return reader.Fail("a new connection id has less than 1 or more than 20 bytes");
        }

        if (!reader.TryReadBytes(length, out ReadOnlySpan<byte> id)
            || !reader.TryReadBytes(StatelessResetToken.Length, out ReadOnlySpan<byte> token))
        {
            return false;
        }

        frame = new NewConnectionIdFrame(sequenceNumber, retirePriorTo, new ConnectionId(id), new StatelessResetToken(token));
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.NewConnectionId);
        writer.WriteInteger(SequenceNumber);
        writer.WriteInteger(RetirePriorTo);
        writer.WriteByte((byte)ConnectionId.Length);
        ConnectionId.CopyTo(writer.Reserve(ConnectionId.Length));
        ResetToken.CopyTo(writer.Reserve(StatelessResetToken.Length));
        return true;
    }
}
