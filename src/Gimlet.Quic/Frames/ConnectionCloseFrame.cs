using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>CONNECTION_CLOSE (RFC 9000 section 19.19), of QUIC or of the application.</summary>
internal readonly ref struct ConnectionCloseFrame
{
    private ConnectionCloseFrame(bool isApplication, long errorCode, FrameType frameType, ReadOnlySpan<byte> reason)
    {
        IsApplication = isApplication;
        ErrorCode = errorCode;
        FrameType = frameType;
        Reason = reason;
    }

    /// <summary>Whether the application closed, type 0x1d.</summary>
    public bool IsApplication { get; }

    /// <summary>A <see cref="TransportErrorCode"/>, or the application's code.</summary>
    public long ErrorCode { get; }

    /// <summary>The frame that caused the error; 0 where it is not known, or the application closed.</summary>
    public FrameType FrameType { get; }

    /// <summary>For people. "This SHOULD be a UTF-8 encoded string": it is not validated, and lies in the packet.</summary>
    public ReadOnlySpan<byte> Reason { get; }

    /// <summary>Makes a frame for an error of QUIC, or none.</summary>
    public static ConnectionCloseFrame ForTransport(TransportErrorCode code, FrameType frameType, ReadOnlySpan<byte> reasonUtf8) =>
        new(isApplication: false, (long)code, frameType, reasonUtf8);

    /// <summary>Makes a frame for the application.</summary>
    public static ConnectionCloseFrame ForApplication(long code, ReadOnlySpan<byte> reasonUtf8) =>
        new(isApplication: true, code, FrameType.Padding, reasonUtf8);

    /// <summary>
    /// Makes the frame that hides the application's close in Initial and Handshake packets. RFC 9000 section 10.2.3: "Endpoints MUST clear
    /// the value of the Reason Phrase field and SHOULD use the APPLICATION_ERROR code when converting to a CONNECTION_CLOSE of type 0x1c."
    /// </summary>
    public static ConnectionCloseFrame ForApplicationInHandshake() =>
        ForTransport(TransportErrorCode.ApplicationError, FrameType.Padding, reasonUtf8: default);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out ConnectionCloseFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type is FrameType.ConnectionClose or FrameType.ApplicationClose);
        bool isApplication = reader.Type == FrameType.ApplicationClose;
        long frameType = 0;
        if (!reader.TryReadInteger(out long code)
            || (!isApplication && !reader.TryReadInteger(out frameType))
            || !reader.TryReadInteger(out long length)
            || !reader.TryReadBytes(length, out ReadOnlySpan<byte> reason))
        {
            return false;
        }

        frame = new ConnectionCloseFrame(isApplication, code, (FrameType)frameType, reason);
        return true;
    }

    /// <summary>
    /// Writes the frame. RFC 9000 section 19.19: "any limits on packet size will also limit the space available for a reason phrase": it is cut to
    /// what fits.
    /// </summary>
    /// <returns>False where not even an empty reason fits.</returns>
    public bool TryWrite(scoped ref WireWriter writer)
    {
        int head = 1 + VariableLengthInteger.LengthOf(ErrorCode) + (IsApplication ? 0 : VariableLengthInteger.LengthOf((long)FrameType));
        int room = FrameRoom.ForData(writer.Remaining, head);
        if (room < 0)
        {
            return false;
        }

        writer.WriteByte((byte)(IsApplication ? FrameType.ApplicationClose : FrameType.ConnectionClose));
        writer.WriteInteger(ErrorCode);
        if (!IsApplication)
        {
            writer.WriteInteger((long)FrameType);
        }

        ReadOnlySpan<byte> reason = CutUtf8(Reason, room);
        writer.WriteInteger(reason.Length);
        writer.WriteBytes(reason);
        return true;
    }

    // Never between the bytes of one character: 10xxxxxx continues one.
    private static ReadOnlySpan<byte> CutUtf8(ReadOnlySpan<byte> text, int maxLength)
    {
        if (text.Length <= maxLength)
        {
            return text;
        }

        int length = maxLength;
        while (length > 0 && (text[length] & 0xc0) == 0x80)
        {
            length--;
        }

        return text[..length];
    }
}
