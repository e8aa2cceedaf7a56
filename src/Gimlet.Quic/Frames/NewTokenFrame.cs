using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>NEW_TOKEN (RFC 9000 section 19.7): a server's token for the next connection.</summary>
internal readonly ref struct NewTokenFrame
{
    public NewTokenFrame(ReadOnlySpan<byte> token) => Token = token;

    /// <summary>Not empty. It lies in the packet: whoever keeps it copies it.</summary>
    public ReadOnlySpan<byte> Token { get; }

    /// <summary>The length in bytes.</summary>
    public int Length => 1 + VariableLengthInteger.LengthOf(Token.Length) + Token.Length;

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out NewTokenFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type == FrameType.NewToken);
        if (!reader.TryReadInteger(out long length) || !reader.TryReadBytes(length, out ReadOnlySpan<byte> token))
        {
            return false;
        }

        // RFC 9000 section 19.7: "A client MUST treat receipt of a NEW_TOKEN frame with an empty Token field as a connection error of type
        // FRAME_ENCODING_ERROR."
        if (token.IsEmpty)
        {
            return reader.Fail("an empty token");
        }

        frame = new NewTokenFrame(token);
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(scoped ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.NewToken);
        writer.WriteInteger(Token.Length);
        writer.WriteBytes(Token);
        return true;
    }
}
