using System.Runtime.InteropServices;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Recovery;

/// <summary>A packet in a <see cref="SentPacketQueue"/>.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SentEntry
{
    public long PacketNumber { get; init; }

    /// <summary>Counts the packets of the space on the path: what the packet threshold compares.</summary>
    public long Sequence { get; init; }

    public TimeSpan SentAt { get; init; }

    /// <summary>Where its frames begin, counted from the queue's first frame ever.</summary>
    public long FirstFrame { get; init; }

    public int FrameCount { get; init; }

    public int Size { get; init; }

    public bool IsAckEliciting { get; init; }

    public bool IsInFlight { get; init; }

    public bool IsMtuProbe { get; init; }

    public EcnCodepoint Ecn { get; init; }

    /// <summary>It was acknowledged, and waits only for those before it.</summary>
    public bool IsAcknowledged { get; init; }

    /// <summary>It counts as lost, see <see cref="LossDetection.HandOver"/>, and waits for an acknowledgement that may still come.</summary>
    public bool IsHandedOver { get; init; }

    /// <summary>The packet as its sender gave it.</summary>
    public SentPacket ToPacket(PathId path)
        => new(PacketNumber, SentAt, path, Size, IsAckEliciting, IsInFlight, IsMtuProbe, Ecn);
}
