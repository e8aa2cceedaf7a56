namespace Gimlet.Quic.Frames;

/// <summary>How many packets of a packet number space came with which ECN mark (RFC 9000 section 19.3.2).</summary>
/// <param name="Ect0">ECT(0).</param>
/// <param name="Ect1">ECT(1).</param>
/// <param name="CongestionExperienced">ECN-CE.</param>
internal readonly record struct EcnCounts(long Ect0, long Ect1, long CongestionExperienced);
