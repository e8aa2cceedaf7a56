namespace Gimlet.Quic.Recovery;

/// <summary>What is remembered of one packet number space on one path.</summary>
internal sealed class PathSpace
{
    /// <summary>See <see cref="PersistentCongestion"/>.</summary>
    public PersistentCongestion Persistence;

    public PathSpace(PathRecovery path, RecoverySettings settings)
    {
        Path = path;
        Lost = new LostPackets(settings.MaxRememberedLosses);
    }

    public PathRecovery Path { get; }

    /// <summary>Packets in flight.</summary>
    public SentPacketQueue InFlight { get; } = new();

    /// <summary>The last packets with nothing but ACK, which are not in flight.</summary>
    public SentPacketQueue AckOnly { get; } = new();

    /// <summary>Packets that may be late only.</summary>
    public LostPackets Lost { get; }

    /// <summary>How many packets of the space were sent on the path.</summary>
    public long NextSequence { get; set; }

    /// <summary>The largest place on the path that was acknowledged; -1 before.</summary>
    public long LargestAcknowledged { get; set; } = -1;

    /// <summary>When the first packet in flight will be lost by its age (RFC 9002 section 6.1.2).</summary>
    public TimeSpan? LossTime { get; set; }

    /// <summary>time_of_last_ack_eliciting_packet, or when the last probe timeout expired if that is later: what PTO counts from.</summary>
    public TimeSpan PtoBase { get; set; }

    /// <summary>How many ack-eliciting packets are in flight.</summary>
    public int AckElicitingInFlight { get; set; }

    /// <summary>What the ACK frame that is being looked at newly acknowledges here.</summary>
    public AckProgress Ack { get; } = new();

    /// <summary>Removes acknowledged packets from the front.</summary>
    public void RemoveAcknowledged()
    {
        while (InFlight.Count > 0 && InFlight[0].IsAcknowledged)
        {
            Persistence.OnArrived(InFlight[0].Sequence);
            InFlight.RemoveFirst();
        }
    }

    /// <summary>Packets with nothing but ACK up to this number are of no use any more: the peer has a later one.</summary>
    public void RemoveOvertaken(long largest)
    {
        while (AckOnly.Count > 0 && AckOnly[0].PacketNumber <= largest)
        {
            AckOnly.RemoveFirst();
        }
    }
}
