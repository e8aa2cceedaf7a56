using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>PING (RFC 9000 section 19.2): asks for an acknowledgement and nothing else.</summary>
internal static class PingFrame
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

        writer.WriteByte((byte)FrameType.Ping);
        return true;
    }
}
