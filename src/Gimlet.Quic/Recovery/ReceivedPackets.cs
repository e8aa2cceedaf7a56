using Gimlet.Quic.Frames;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Recovery;

/// <summary>
/// Which packets of a packet number space arrived, on all paths, and when to say so (RFC 9000 section 13.2).
/// </summary>
internal sealed class ReceivedPackets
{
    /// <summary>RFC 9000 section 13.2.2: an ACK after at least two ack-eliciting packets.</summary>
    private const int AckElicitingThreshold = 2;

    private readonly TimeSpan _maxAckDelay;
    private readonly ReceivedRanges _ranges = new();
    private EcnCounts _ecn;
    private TimeSpan _largestReceivedAt;
    private int _waiting;

    /// <summary>A space in which nothing arrived.</summary>
    /// <param name="space">Which; Initial and Handshake are acknowledged at once.</param>
    /// <param name="maxAckDelay">Our max_ack_delay, the longest that an acknowledgement waits.</param>
    public ReceivedPackets(PacketNumberSpace space, TimeSpan maxAckDelay)
    {
        // RFC 9000 section 13.2.1: "An endpoint MUST acknowledge all ack-eliciting Initial and Handshake packets immediately".
        _maxAckDelay = space is PacketNumberSpace.Application ? maxAckDelay : TimeSpan.Zero;
    }

    /// <summary>The largest number that arrived, or <see cref="PacketNumber.None"/>.</summary>
    public long Largest { get; private set; } = PacketNumber.None;

    /// <summary>Whether something arrived since the last ACK was written, ack-eliciting or not.</summary>
    public bool HasUnsentAck { get; private set; }

    /// <summary>When an ACK becomes due; null while nothing ack-eliciting waits for one. In the past when it is due at once.</summary>
    public TimeSpan? AckDeadline { get; private set; }

    /// <summary>How many packets came with which mark.</summary>
    public EcnCounts EcnCounts => _ecn;

    /// <summary>False for a duplicate, and for a number so old that it is not known any more (RFC 9000 section 12.3).</summary>
    public bool IsNew(long packetNumber) => _ranges.IsNew(packetNumber);

    /// <summary>A packet arrived and was authenticated, and <see cref="IsNew"/>.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="packetNumber">Its number.</param>
    /// <param name="isAckEliciting">Whether it asks for an acknowledgement.</param>
    /// <param name="ecn">How its datagram was marked.</param>
    public void Add(TimeSpan now, long packetNumber, bool isAckEliciting, EcnCodepoint ecn)
    {
        bool isInOrder = packetNumber == Largest + 1;
        _ranges.Add(packetNumber);
        if (packetNumber > Largest)
        {
            Largest = packetNumber;
            _largestReceivedAt = now;
        }

        HasUnsentAck = true;
        Count(ecn);
        if (!isAckEliciting)
        {
            return;
        }

        // RFC 9000 section 13.2.1: at once when the packet is out of order, whether it leaves a gap or fills one, or when it is marked CE.
        _waiting++;
        if (!isInOrder || _waiting >= AckElicitingThreshold || ecn is EcnCodepoint.CongestionExperienced)
        {
            AckDeadline = now;
        }
        else
        {
            AckDeadline ??= now + _maxAckDelay;
        }
    }

    /// <summary>Whether an ACK must go out now, even if nothing else does.</summary>
    public bool IsAckDue(TimeSpan now) => AckDeadline is { } deadline && deadline <= now;

    /// <summary>Writes an ACK frame; nothing waits for one then.</summary>
    /// <param name="writer">The payload.</param>
    /// <param name="now">The clock.</param>
    /// <param name="ackDelayExponent">Ours.</param>
    /// <param name="largestAcknowledged">The largest number it reports: what <see cref="OnAckAcknowledged"/> wants once the frame arrived.</param>
    /// <returns>False when nothing ever arrived, or there is no room.</returns>
    public bool TryWriteAck(ref WireWriter writer, TimeSpan now, long ackDelayExponent, out long largestAcknowledged)
    {
        largestAcknowledged = Largest;
        if (Largest == PacketNumber.None)
        {
            return false;
        }

        Span<AckRange> chosen = stackalloc AckRange[AckFrameWriter.MaxRanges];
        chosen = chosen[.._ranges.Choose(chosen)];

        // RFC 9000 section 13.2.5: from the arrival of the largest packet on, in microseconds divided by 2 to the power of the exponent.
        long delay = Math.Max(0, (now - _largestReceivedAt).Ticks / TimeSpan.TicksPerMicrosecond) >> (int)ackDelayExponent;
        bool isMarked = _ecn != default;
        int written = AckFrameWriter.Write(ref writer, chosen, delay, isMarked ? _ecn : null);
        if (written == 0)
        {
            return false;
        }

        _ranges.OnReported(chosen[..written]);
        HasUnsentAck = false;
        AckDeadline = null;
        _waiting = 0;
        return true;
    }

    /// <summary>
    /// The peer has an ACK of ours up to that number: what was reported up to there need not be reported again (RFC 9000 section 13.2.4).
    /// </summary>
    public void OnAckAcknowledged(long largestAcknowledged) => _ranges.Settle(largestAcknowledged);

    private void Count(EcnCodepoint ecn)
    {
        switch (ecn)
        {
            case EcnCodepoint.Ect0:
                _ecn = _ecn with { Ect0 = _ecn.Ect0 + 1 };
                break;
            case EcnCodepoint.Ect1:
                _ecn = _ecn with { Ect1 = _ecn.Ect1 + 1 };
                break;
            case EcnCodepoint.CongestionExperienced:
                _ecn = _ecn with { CongestionExperienced = _ecn.CongestionExperienced + 1 };
                break;
            case EcnCodepoint.NotEct:
            default:
                break;
        }
    }
}
