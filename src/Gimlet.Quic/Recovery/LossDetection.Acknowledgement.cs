using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Recovery;

/// <content>What an ACK frame does, and what it makes lost.</content>
internal sealed partial class LossDetection
{
    /// <summary>An ACK frame came (RFC 9002 appendix A.7).</summary>
    /// <param name="now">The clock.</param>
    /// <param name="space">The space of the packet it came in.</param>
    /// <param name="ack">The frame.</param>
    /// <param name="ackDelay">Its delay, decoded with the peer's ack_delay_exponent.</param>
    /// <param name="way">
    /// The path it came on, where the peer acknowledges on the way that packets came: then an acknowledgement that came another way says little of the
    /// round trip of the packets' path. Null: it always does.
    /// </param>
    /// <returns>PROTOCOL_VIOLATION where it acknowledges what was never sent; nothing was changed then.</returns>
    public QuicError OnAckReceived(TimeSpan now, PacketNumberSpace space, in AckFrame ack, TimeSpan ackDelay, PathId? way = null)
    {
        NumberSpace numbers = _spaces[(int)space];
        if (numbers.IsDiscarded)
        {
            return QuicError.None;
        }

        QuicError error = Check(numbers, ack);
        if (error.IsError)
        {
            return error;
        }

        bool raisesLargest = ack.LargestAcknowledged > numbers.LargestAcknowledged;
        if (raisesLargest)
        {
            numbers.LargestAcknowledged = ack.LargestAcknowledged;
        }

        foreach (PathRecord record in _paths)
        {
            record[space]?.Ack.Clear();
            record.Recovery.BeginAck();
        }

        foreach (AckRange range in ack)
        {
            foreach (PathRecord record in _paths)
            {
                if (record[space] is { } sent)
                {
                    Acknowledge(space, sent.InFlight, sent, range);
                    Acknowledge(space, sent.AckOnly, sent, range);
                    TakeBackLosses(sent, range);
                }
            }
        }

        SampleRtt(now, space, ack.LargestAcknowledged, ackDelay, way);
        if (raisesLargest)
        {
            CheckEcn(now, space, numbers, ack.Ecn);
        }

        foreach (PathRecord record in _paths)
        {
            if (record[space] is { } sent)
            {
                FinishAck(now, space, sent);
            }
        }

        _timerSetAt = now;
        return QuicError.None;
    }

    private static QuicError Check(NumberSpace numbers, in AckFrame ack)
    {
        FrameType type = ack.Ecn is null ? FrameType.Ack : FrameType.AckEcn;

        // RFC 9000 section 13.1: "An endpoint SHOULD treat receipt of an acknowledgment for a packet it did not send as a connection error of
        // type PROTOCOL_VIOLATION, if it is able to detect the condition."
        if (ack.LargestAcknowledged >= numbers.Next)
        {
            return new QuicError(TransportErrorCode.ProtocolViolation, type, "a packet is acknowledged that was not sent yet");
        }

        foreach (AckRange range in ack)
        {
            if (numbers.IsSkippedIn(range))
            {
                return new QuicError(TransportErrorCode.ProtocolViolation, type, "a packet is acknowledged that was left out");
            }
        }

        return QuicError.None;
    }

    private void Acknowledge(PacketNumberSpace space, SentPacketQueue queue, PathSpace sent, in AckRange range)
    {
        if (queue.Count == 0 || range.Largest < queue[0].PacketNumber || range.Smallest > queue.LastPacketNumber)
        {
            return;
        }

        // What is behind the first packet and acknowledged already is looked at again; those are fewer than the packet threshold, for with more
        // of them the first would have been lost.
        int index = range.Smallest <= queue[0].PacketNumber ? 0 : queue.IndexOf(range.Smallest);
        for (; index < queue.Count; index++)
        {
            ref SentEntry entry = ref queue[index];
            if (entry.PacketNumber > range.Largest)
            {
                break;
            }

            if (!entry.IsAcknowledged)
            {
                entry = entry with { IsAcknowledged = true };
                Acknowledge(space, queue, sent, entry);
            }
        }
    }

    private void Acknowledge(PacketNumberSpace space, SentPacketQueue queue, PathSpace sent, in SentEntry entry)
    {
        for (int i = 0; i < entry.FrameCount; i++)
        {
            _events.OnFrameAcknowledged(space, queue.FrameOf(entry, i));
        }

        // It was counted as lost, and says nothing of the path: only that its frames need not go out again.
        if (entry.IsHandedOver)
        {
            return;
        }

        sent.Ack.Add(entry);
        if (entry.IsAckEliciting)
        {
            sent.AckElicitingInFlight--;
        }

        if (entry.IsInFlight)
        {
            sent.Path.OnAcknowledged(entry.Size, entry.SentAt);
        }

        _events.OnPacketAcknowledged(space, entry.ToPacket(sent.Path.Path));
    }

    private static void TakeBackLosses(PathSpace sent, in AckRange range)
    {
        int index = 0;
        while (sent.Lost.Count > 0 && sent.Lost.TryTake(range.Smallest, range.Largest, ref index, out LostPacket packet))
        {
            sent.Persistence.OnArrived(packet.Sequence);
            sent.Path.Reordering.OnSpuriousLoss(sent.LargestAcknowledged - packet.Sequence, packet.IsByTime, packet.EventNumber);
            if (packet.IsCounted)
            {
                sent.Path.OnSpuriousLoss(packet.EventNumber);
            }
        }
    }

    private void SampleRtt(TimeSpan now, PacketNumberSpace space, long largest, TimeSpan ackDelay, PathId? way)
    {
        foreach (PathRecord record in _paths)
        {
            // RFC 9002 section 5.1: a sample needs a packet that is the largest acknowledged, newly, and an ack-eliciting one among those that are
            // newly acknowledged. Here the largest of the path.
            if (record[space] is not { } sent || !sent.Ack.HasAckEliciting || sent.Ack.LargestSequence <= sent.LargestAcknowledged)
            {
                continue;
            }

            // The delay is that of the frame's largest packet. One of another path had a larger number before it, so it was acknowledged at once
            // (RFC 9000 section 13.2.1). Initial packets are not delayed on purpose.
            TimeSpan delay = TimeSpan.Zero;
            if (sent.Ack.LargestPacketNumber == largest && space is not PacketNumberSpace.Initial)
            {
                // RFC 9002 section 5.3: max_ack_delay limits it once the handshake is confirmed, not before.
                delay = IsHandshakeConfirmed && ackDelay > PeerMaxAckDelay ? PeerMaxAckDelay : ackDelay;
            }

            record.Recovery.OnRttSample(now, now - sent.Ack.LargestSentAt, delay, isOwnWay: way is null || way == record.Recovery.Path);
        }
    }

    private void CheckEcn(TimeSpan now, PacketNumberSpace space, NumberSpace numbers, EcnCounts? counts)
    {
        long marked = 0;
        foreach (PathRecord record in _paths)
        {
            marked += record[space]?.Ack.Marked ?? 0;
        }

        EcnCountCheck.Verdict verdict = numbers.Ecn.Check(counts, marked);
        foreach (PathRecord record in _paths)
        {
            if (record[space] is not { } sent || !sent.Ack.HasAny)
            {
                continue;
            }

            EcnValidation ecn = record.Recovery.Ecn;
            if (verdict is EcnCountCheck.Verdict.Invalid)
            {
                if (sent.Ack.Marked > 0)
                {
                    ecn.OnFailed();
                }

                continue;
            }

            if (sent.Ack.Marked > 0)
            {
                ecn.OnValidated();
            }

            if (verdict is EcnCountCheck.Verdict.Congested && ecn.State is EcnState.Capable)
            {
                record.Recovery.OnMarked(now, sent.Ack.LargestSentAt);
            }
        }
    }

    private void FinishAck(TimeSpan now, PacketNumberSpace space, PathSpace sent)
    {
        if (sent.Lost.Count > 0)
        {
            sent.Lost.Expire(now);
        }

        if (!sent.Ack.HasAny)
        {
            sent.RemoveAcknowledged();
            return;
        }

        sent.LargestAcknowledged = Math.Max(sent.LargestAcknowledged, sent.Ack.LargestSequence);
        sent.RemoveOvertaken(sent.Ack.LargestAckOnly);
        DetectLost(now, space, sent);
        sent.Path.EndAck(now);

        if (space is PacketNumberSpace.Handshake)
        {
            _isPeerAddressValidated = true;
        }

        // RFC 9002 section 6.2.1: a client does not take the backoff back before it knows that the server validated its address.
        if (IsPeerAddressValidated)
        {
            sent.Path.ResetPtoCount();
        }
    }

    /// <summary>RFC 9002 appendix A.10. Age and place both grow along the queue, so those that are lost are the first ones.</summary>
    private void DetectLost(TimeSpan now, PacketNumberSpace space, PathSpace sent)
    {
        PathRecovery path = sent.Path;
        TimeSpan delay = path.Reordering.LossDelay(path.Rtt);
        TimeSpan pto = path.PtoPeriod(PacketNumberSpace.Application, PeerMaxAckDelay);
        bool isPersistent = false;
        sent.LossTime = null;
        while (true)
        {
            sent.RemoveAcknowledged();
            if (sent.InFlight.Count == 0 || sent.InFlight[0].Sequence > sent.LargestAcknowledged)
            {
                break;
            }

            ref SentEntry first = ref sent.InFlight[0];
            bool isByNumber = sent.LargestAcknowledged - first.Sequence >= path.Reordering.Packets;
            if (!isByNumber && first.SentAt > now - delay)
            {
                sent.LossTime = first.SentAt + delay;
                break;
            }

            isPersistent |= Lose(now, space, sent, pto, isByTime: !isByNumber);
        }

        if (isPersistent)
        {
            path.OnPersistentCongestion();
            _events.OnPersistentCongestion(path.Path);
        }
    }

    /// <summary>The first packet in flight is lost.</summary>
    /// <returns>Whether that completes a period of persistent congestion.</returns>
    private bool Lose(TimeSpan now, PacketNumberSpace space, PathSpace sent, TimeSpan pto, bool isByTime)
    {
        PathRecovery path = sent.Path;
        SentEntry entry = sent.InFlight[0];
        if (entry.IsHandedOver)
        {
            RemoveLost(space, sent);
            return false;
        }

        // RFC 9000 section 14.4: the loss of a packet that probes for the MTU says nothing of congestion.
        bool isCounted = !entry.IsMtuProbe;
        int eventNumber = isCounted ? path.OnLost(now, entry.SentAt) : -1;

        // Three PTOs are what RFC 9002 section 7.6 takes for an outage; whatever comes later is of no use.
        sent.Lost.Add(new LostPacket(entry.PacketNumber, entry.Sequence, now + (3 * pto), eventNumber, isByTime, isCounted));
        bool isPersistent = isCounted && entry.IsAckEliciting
            && sent.Persistence.OnLost(entry.Sequence, entry.SentAt, path.Rtt.FirstSampleAt, _settings.PersistentCongestionThreshold * pto);
        RemoveLost(space, sent);
        return isPersistent;
    }

    /// <summary>Tells of the first packet in flight as lost, and forgets it.</summary>
    private void RemoveLost(PacketNumberSpace space, PathSpace sent)
    {
        SentEntry entry = sent.InFlight[0];
        if (!entry.IsHandedOver)
        {
            if (entry.Ecn is EcnCodepoint.Ect0)
            {
                sent.Path.Ecn.OnMarkedLost();
            }

            TellLost(space, sent, entry);
        }

        sent.InFlight.RemoveFirst();
    }

    private void TellLost(PacketNumberSpace space, PathSpace sent, in SentEntry entry)
    {
        if (entry.IsAckEliciting)
        {
            sent.AckElicitingInFlight--;
        }

        sent.Path.OnRemoved(entry.Size);
        for (int i = 0; i < entry.FrameCount; i++)
        {
            _events.OnFrameLost(space, sent.InFlight.FrameOf(entry, i));
        }

        _events.OnPacketLost(space, entry.ToPacket(sent.Path.Path));
    }

    private void LoseAll(PacketNumberSpace space, PathSpace sent)
    {
        sent.RemoveAcknowledged();
        while (sent.InFlight.Count > 0)
        {
            RemoveLost(space, sent);
            sent.RemoveAcknowledged();
        }

        sent.LossTime = null;
        sent.Persistence.Reset();
    }
}
