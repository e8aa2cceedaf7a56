using Gimlet.Quic.Paths;

namespace Gimlet.Quic.Recovery;

/// <summary>
/// A probe timeout expired: up to two ack-eliciting packets are to be sent, whatever the congestion window says (RFC 9002 section 6.2.4).
/// </summary>
/// <param name="Space">In which packet number space.</param>
/// <param name="Path">On which path.</param>
internal readonly record struct ProbeRequest(PacketNumberSpace Space, PathId Path);
