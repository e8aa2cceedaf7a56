using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>HANDSHAKE_DONE (RFC 9000 section 19.20): a server confirms the handshake.</summary>
internal static class HandshakeDoneFrame
{
    /// <summary>The length in bytes.</summary>
    public const int Length = 1;

    /// <summary>Writes the frame, if it fits.</summary>
    public static bool TryWrite(ref WireWriter writer)
    {
        if (writer.Remaining < Length)
        {
            return false;
        }

        writer.WriteByte((byte)FrameType.HandshakeDone);
        return true;
    }
}
