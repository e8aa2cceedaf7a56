using System.Buffers.Binary;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>PATH_RESPONSE (RFC 9000 section 19.18): the answer to PATH_CHALLENGE.</summary>
/// <param name="Data">The bytes of the challenge.</param>
internal readonly record struct PathResponseFrame(ulong Data)
{
    /// <summary>The length in bytes.</summary>
    public const int Length = 1 + sizeof(ulong);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out PathResponseFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type == FrameType.PathResponse);
        if (!reader.TryReadBytes(sizeof(ulong), out ReadOnlySpan<byte> data))
        {
            return false;
        }

        frame = new PathResponseFrame(BinaryPrimitives.ReadUInt64BigEndian(data));
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.PathResponse);
        BinaryPrimitives.WriteUInt64BigEndian(writer.Reserve(sizeof(ulong)), Data);
        return true;
    }
}
