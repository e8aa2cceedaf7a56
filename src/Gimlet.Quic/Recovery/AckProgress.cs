using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Recovery;

/// <summary>What one ACK frame newly acknowledges of one packet number space on one path.</summary>
internal sealed class AckProgress
{
    /// <summary>Whether it is anything.</summary>
    public bool HasAny => LargestSequence >= 0;

    /// <summary>Whether any of it is ack-eliciting.</summary>
    public bool HasAckEliciting { get; private set; }

    /// <summary>The largest place on the path; -1 for none.</summary>
    public long LargestSequence { get; private set; }

    /// <summary>The number of that packet.</summary>
    public long LargestPacketNumber { get; private set; }

    /// <summary>When that packet was sent.</summary>
    public TimeSpan LargestSentAt { get; private set; }

    /// <summary>The largest number of a packet with nothing but ACK; -1 for none.</summary>
    public long LargestAckOnly { get; private set; }

    /// <summary>How many packets were sent with ECT(0).</summary>
    public int Marked { get; private set; }

    /// <summary>Begins with the next frame.</summary>
    public void Clear()
    {
        HasAckEliciting = false;
        LargestSequence = -1;
        LargestAckOnly = -1;
        Marked = 0;
    }

    /// <summary>Takes a packet.</summary>
    public void Add(in SentEntry entry)
    {
        HasAckEliciting |= entry.IsAckEliciting;
        Marked += entry.Ecn is EcnCodepoint.Ect0 ? 1 : 0;
        if (!entry.IsInFlight)
        {
            LargestAckOnly = Math.Max(LargestAckOnly, entry.PacketNumber);
        }

        if (entry.Sequence > LargestSequence)
        {
            LargestSequence = entry.Sequence;
            LargestPacketNumber = entry.PacketNumber;
            LargestSentAt = entry.SentAt;
        }
    }
}
