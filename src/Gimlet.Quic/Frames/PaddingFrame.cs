using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>PADDING (RFC 9000 section 19.1): one zero byte each. <see cref="FrameReader"/> takes a run of them for one.</summary>
internal static class PaddingFrame
{
    /// <summary>Writes a run of PADDING frames.</summary>
    /// <param name="writer">The payload.</param>
    /// <param name="count">How many bytes; not more than fit.</param>
    public static void Write(ref WireWriter writer, int count) => writer.Reserve(count).Clear();
}
