using System.Runtime.InteropServices;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Recovery;

/// <summary>A packet in a <see cref="SentPacketQueue"/>.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct SentEntry
{
    public long PacketNumber;

    /// <summary>Counts the packets of the space on the path: what the packet threshold compares.</summary>
    public long Sequence;

    public TimeSpan SentAt;

    /// <summary>Where its frames begin, counted from the queue's first frame ever.</summary>
    public long FirstFrame;

    public int FrameCount;
    public int Size;

    /// <summary><see cref="PathRecovery.Generation"/> when it was sent.</summary>
    public int Generation;

    public bool IsAckEliciting;
    public bool IsInFlight;
    public bool IsMtuProbe;
    public EcnCodepoint Ecn;

    /// <summary>It was acknowledged, and waits only for those before it.</summary>
    public bool IsAcknowledged;

    /// <summary>The packet as its sender gave it.</summary>
    public readonly SentPacket ToPacket(PathId path)
        => new(PacketNumber, SentAt, path, Size, IsAckEliciting, IsInFlight, IsMtuProbe, Ecn);
}
