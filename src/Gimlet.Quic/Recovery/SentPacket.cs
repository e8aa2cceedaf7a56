using System.Runtime.InteropServices;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Recovery;

/// <summary>What is remembered of a packet until it is acknowledged or lost (RFC 9002 appendix A.1.1).</summary>
/// <param name="PacketNumber">Its number in its space.</param>
/// <param name="SentAt">When it was sent.</param>
/// <param name="Path">Which way it went: it is compared with packets of the same path only.</param>
/// <param name="Size">The packet in bytes, without UDP and IP headers.</param>
/// <param name="IsAckEliciting">Whether it must be acknowledged.</param>
/// <param name="IsInFlight">Whether it counts against the congestion window (RFC 9002 section 2).</param>
/// <param name="IsMtuProbe">Whether its loss says nothing of congestion (RFC 9000 section 14.4).</param>
/// <param name="Ecn">How its datagram was marked.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SentPacket(
    long PacketNumber,
    TimeSpan SentAt,
    PathId Path,
    int Size,
    bool IsAckEliciting,
    bool IsInFlight,
    bool IsMtuProbe = false,
    EcnCodepoint Ecn = EcnCodepoint.NotEct);
