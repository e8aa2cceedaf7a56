using Gimlet.Quic.Paths;

namespace Gimlet.Quic.Recovery;

/// <summary>
/// What became of packets and their frames. Called synchronously from within the methods of <see cref="LossDetection"/>, which must not be called
/// back from here. Every packet in flight ends exactly once as acknowledged or lost, unless its packet number space is discarded first; the frames of one that was handed
/// over may be acknowledged after they were lost. A packet
/// that is not in flight (nothing but ACK) is told of when it is acknowledged, and never as lost: nothing of it would be sent again.
/// </summary>
internal interface IRecoveryEvents
{
    /// <summary>The frame arrived.</summary>
    void OnFrameAcknowledged(PacketNumberSpace space, in SentFrame frame);

    /// <summary>The frame must go out again, if its content is still wanted (RFC 9000 section 13.3).</summary>
    void OnFrameLost(PacketNumberSpace space, in SentFrame frame);

    /// <summary>The packet arrived; after its frames.</summary>
    void OnPacketAcknowledged(PacketNumberSpace space, in SentPacket packet);

    /// <summary>The packet is deemed lost; after its frames.</summary>
    void OnPacketLost(PacketNumberSpace space, in SentPacket packet);

    /// <summary>The path's window fell to the minimum (RFC 9002 section 7.6).</summary>
    void OnPersistentCongestion(PathId path);
}
