using System.Runtime.InteropServices;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <summary>Datagrams to send, one behind the other in the caller's buffer: what UDP segmentation offload takes in one call.</summary>
/// <param name="Path">Where they go.</param>
/// <param name="Length">All of them, in bytes.</param>
/// <param name="SegmentSize">Each but the last, which may be shorter, in bytes.</param>
/// <param name="Ecn">How they are to be marked.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Transmit(PathId Path, int Length, int SegmentSize, EcnCodepoint Ecn)
{
    /// <summary>How many datagrams these are.</summary>
    public int Count => (Length + SegmentSize - 1) / SegmentSize;
}
