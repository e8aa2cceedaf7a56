using System.Buffers.Binary;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>PATH_CHALLENGE (RFC 9000 section 19.17): whoever gets it on a path sends it back.</summary>
/// <param name="Data">Eight unpredictable bytes, as a number; they have no order.</param>
internal readonly record struct PathChallengeFrame(ulong Data)
{
    /// <summary>The length in bytes.</summary>
    public const int Length = 1 + sizeof(ulong);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out PathChallengeFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type == FrameType.PathChallenge);
        if (!reader.TryReadBytes(sizeof(ulong), out ReadOnlySpan<byte> data))
        {
            return false;
        }

        frame = new PathChallengeFrame(BinaryPrimitives.ReadUInt64BigEndian(data));
        return true;
    }

    /// <summary>Writes the frame, if it fits.</summary>
    public bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.PathChallenge);
        BinaryPrimitives.WriteUInt64BigEndian(writer.Reserve(sizeof(ulong)), Data);
        return true;
    }
}
