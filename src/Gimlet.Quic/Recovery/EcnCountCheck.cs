using Gimlet.Quic.Frames;

namespace Gimlet.Quic.Recovery;

/// <summary>
/// The ECN counts of a packet number space, as the peer reports them (RFC 9000 section 13.4.2.1). They are of all paths together. So what is wrong
/// is held against every path that had marked packets in the ACK, and an increase of CE is congestion on each of them: a path may lose ECN or send
/// more slowly for another's sake, but none stays marked while its marks are removed, and no congestion is overlooked.
/// </summary>
internal struct EcnCountCheck
{
    private EcnCounts _reported;
    private long _sent;

    /// <summary>What a report says of the packets it acknowledges.</summary>
    public enum Verdict
    {
        /// <summary>The counts do not say that anything is wrong.</summary>
        Valid,

        /// <summary>As <see cref="Valid"/>, and a router marked a packet.</summary>
        Congested,

        /// <summary>The counts are wrong, or missing.</summary>
        Invalid,
    }

    /// <summary>A packet was sent with ECT(0).</summary>
    public void OnMarkedSent() => _sent++;

    /// <summary>Looks at the counts of an ACK that raises the largest acknowledged number; others may be older than what was seen.</summary>
    /// <param name="counts">The counts, if the frame has them.</param>
    /// <param name="newlyAcknowledged">How many packets sent with ECT(0) it newly acknowledges.</param>
    public Verdict Check(EcnCounts? counts, long newlyAcknowledged)
    {
        if (counts is not { } reported)
        {
            // RFC 9000 section 13.4.2.1: marked packets are acknowledged, and the counts are not there.
            return newlyAcknowledged > 0 ? Verdict.Invalid : Verdict.Valid;
        }

        EcnCounts before = _reported;
        _reported = reported;

        // Counts never fall, where ACKs that were overtaken are not looked at; nothing is sent with ECT(1); and what arrives with a mark was sent
        // with one.
        if (reported.Ect0 < before.Ect0 || reported.CongestionExperienced < before.CongestionExperienced || reported.Ect1 > 0
            || reported.Ect0 > _sent || reported.CongestionExperienced > _sent - reported.Ect0)
        {
            return Verdict.Invalid;
        }

        // RFC 9000 section 13.4.2.1: the increase of ECT(0) and CE covers what is newly acknowledged. It may be more, after an ACK was lost.
        long congested = reported.CongestionExperienced - before.CongestionExperienced;
        if (reported.Ect0 - before.Ect0 + congested < newlyAcknowledged)
        {
            return Verdict.Invalid;
        }

        return congested > 0 ? Verdict.Congested : Verdict.Valid;
    }
}
