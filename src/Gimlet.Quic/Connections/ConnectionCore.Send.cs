using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <content>What goes out next, and how much of it (RFC 9000 section 13, RFC 9002 section 7).</content>
internal sealed partial class ConnectionCore
{
    // RFC 9000 section 14: what every path must carry, and what datagrams with Initial packets and path challenges are expanded to.
    private const int FullSize = (int)TransportParameters.MinMaxUdpPayloadSize;

    // Below that there is no room for a header, an acknowledgement with some ranges and a tag.
    private const int SmallestDatagram = 80;

    private bool _isInitialOver;
    private TimeSpan _nothingToSendAt = TimeSpan.MinValue;

    /// <summary>Writes datagrams of one path into a buffer.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="buffer">At least <see cref="ConnectionSettings.MaxUdpPayload"/> bytes; the more, the more datagrams in one call.</param>
    /// <param name="maxDatagrams">At most so many: what one call of the system takes (64 for UDP GSO).</param>
    /// <param name="transmit">Where they go.</param>
    /// <returns>False when there is nothing to send now.</returns>
    public bool TryPollTransmit(TimeSpan now, Span<byte> buffer, int maxDatagrams, out Transmit transmit)
    {
        _eventTime = now;
        transmit = default;
        if (_phase == ClosePhase.Open
            && (TryPollCopy(now, buffer, out transmit)
                || TryPollHandshake(now, buffer, out transmit)
                || TryPollProbing(now, buffer, out transmit)
                || TryPollAck(now, buffer, out transmit)
                || TryPollDatagrams(now, buffer, out transmit)
                || TryPollData(now, buffer, maxDatagrams, out transmit)))
        {
            return true;
        }

        // Writing may have ended in a close: the limit of the keys.
        if (_phase == ClosePhase.Closing && TryPollClose(now, buffer, out transmit))
        {
            return true;
        }

        _nothingToSendAt = now;
        return false;
    }

    /// <summary>
    /// The sender has no room: what is due cannot go out, whatever <see cref="TryPollTransmit"/> would give. Deadlines for sending count again when it is polled.
    /// </summary>
    public void OnSenderBlocked(TimeSpan now) => _nothingToSendAt = now;

    // Datagrams with Initial and Handshake packets, one at a time; 1-RTT packets ride along in them.
    private bool TryPollHandshake(TimeSpan now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!WantsToSend(_initial, now) && !WantsToSend(_handshake, now))
        {
            return false;
        }

        ConnectionPath path = _current;
        long allowance = path.Allowance;

        // Not a byte less than a full datagram, as long as Initial packets are expanded to that.
        if (allowance < FullSize)
        {
            return false;
        }

        // Handshake bytes that were lost go out whatever the window says: it may be full of 1-RTT packets that the peer cannot read, and so never
        // acknowledges, before it has these very bytes; and before confirmation no probe timeout runs for those (RFC 9002 section 6.2.1). What was
        // lost has left the network.
        bool isRepairing = _initial.CryptoOut.HasLost || _handshake.CryptoOut.HasLost;
        bool isFull = path.Recovery.Allowance(now) < FullSize;
        bool isBlocked = isFull && !isRepairing && _initial.Probes + _handshake.Probes + path.Probes == 0;
        int size = (int)Math.Min(Math.Min(path.Mtu.Current, buffer.Length), allowance);
        BeginDatagram(now, path, isBlocked ? EcnCodepoint.NotEct : path.Recovery.NextEcn);
        var datagram = new DatagramBuilder(this, buffer[..size]);
        ConnectionPath? second = SecondPath();
        bool hasInitial = TryAppend(ref datagram, _initial, now, isBlocked, second, out bool isInitialEliciting);
        bool hasHandshake = TryAppend(ref datagram, _handshake, now, isBlocked, second, out _);
        if (!hasInitial && !hasHandshake)
        {
            return false;
        }

        // RFC 9000 section 12.2 lets data ride along; the client's first bytes so leave in the datagram of its Finished.
        bool isDataBlocked = isBlocked || (isFull && path.Probes == 0);
        if (_oneRtt is { CanSeal: true } && WantsApplicationPacket(now, path, isDataBlocked) && datagram.TryBegin(_application, out WireWriter writer))
        {
            WriteApplicationFrames(path, ref writer, isDataBlocked);
            datagram.Commit(writer.Position);
            if (second is not null)
            {
                KeepCopy(_application, second, writer.Written);
            }
        }

        // RFC 9000 section 14.1: "A client MUST expand the payload of all UDP datagrams carrying Initial packets to at least the smallest allowed maximum
        // datagram size of 1200 bytes", and "a server MUST expand the payload of all UDP datagrams carrying ack-eliciting Initial packets".
        int length = datagram.Finish(hasInitial && (Role == EndpointRole.Client || isInitialEliciting) ? FullSize : 0);
        if (_isInitialOver)
        {
            DiscardSpace(now, _initial);
        }

        CountDatagram(path, length);
        transmit = new Transmit(path.Id, length, length, _writeEcn);
        return true;
    }

    private bool TryAppend(
        ref DatagramBuilder datagram, PacketSpace space, TimeSpan now, bool mayOnlyAcknowledge, ConnectionPath? second, out bool isAckEliciting)
    {
        isAckEliciting = false;
        if (!WantsToSend(space, now) || !space.Sealer!.CanSeal || !datagram.TryBegin(space, out WireWriter writer))
        {
            return false;
        }

        WriteHandshakeFrames(space, ref writer, mayOnlyAcknowledge);
        datagram.Commit(writer.Position);
        if (second is not null)
        {
            KeepCopy(space, second, writer.Written);
        }

        isAckEliciting = IsAckEliciting(FramesOf(space).Frames);
        return writer.Position > 0;
    }

    private static bool WantsToSend(PacketSpace space, TimeSpan now) =>
        space.Sealer is not null
        && (space.CryptoOut.HasPending(long.MaxValue) || space.Probes > 0 || (space.Received.HasUnsentAck && space.Received.IsAckDue(now)));

    private bool WantsApplicationPacket(TimeSpan now, ConnectionPath path, bool mayOnlyAcknowledge)
    {
        if (IsAckDueOn(path, now))
        {
            return true;
        }

        return !mayOnlyAcknowledge && (path.Probes > 0 || HasDatagramsFor(path) || Streams.HasFramesToSend || HasRareFrames);
    }

    // 1-RTT packets on the current path: as many full ones as congestion control, pacing and the buffer let go, for one call of the system.
    private bool TryPollData(TimeSpan now, Span<byte> buffer, int maxDatagrams, out Transmit transmit)
    {
        transmit = default;
        ConnectionPath path = SendWay();
        if (_oneRtt is null || !IsSealingPossible(now))
        {
            return false;
        }

        long amplification = path.Allowance;
        int size = (int)Math.Min(Math.Min(path.Mtu.SizeForProbeTimeout(path.Recovery.PtoCount), buffer.Length), amplification);
        if (size < SmallestDatagram)
        {
            return false;
        }

        ConnectionPath? second = path == _current ? SecondPath() : null;
        if (second is not null)
        {
            size = Math.Min(size, second.Mtu.Current);
            maxDatagrams = 1;
        }

        long budget = path.Recovery.Allowance(now);
        int length = 0;
        int segment = size;
        int count = 0;
        BeginDatagram(now, path, path.Recovery.NextEcn);
        while (count < maxDatagrams && buffer.Length - length >= segment && amplification >= segment && _oneRtt.CanSeal)
        {
            bool isBlocked = budget < segment && path.Probes == 0;
            if (!WantsApplicationPacket(now, path, isBlocked))
            {
                NoteLimit(now, path, isBlocked);
                break;
            }

            int written = WriteApplicationPacket(path, buffer.Slice(length, segment), isBlocked, second);
            if (written == 0)
            {
                break;
            }

            length += written;
            budget -= written;
            amplification -= written;
            count++;

            // Segments of one call are equal but for the last. A first one that is not full can be followed by equals only where datagrams of the
            // application are of one size.
            if (count == 1 && written < segment && _outgoing.Count > 0)
            {
                segment = written;
            }
            else if (written < segment)
            {
                break;
            }
        }

        if (length == 0)
        {
            return false;
        }

        CountDatagrams(path, length, count);
        transmit = new Transmit(path.Id, length, Math.Min(segment, length), _writeEcn);
        return true;
    }

    private static void NoteLimit(TimeSpan now, ConnectionPath path, bool isBlocked)
    {
        if (!isBlocked)
        {
            path.Recovery.OnApplicationLimited(now);
        }
    }

    private int WriteApplicationPacket(ConnectionPath path, Span<byte> datagram, bool mayOnlyAcknowledge, ConnectionPath? second)
    {
        long number = _loss.NextPacketNumber(PacketNumberSpace.Application);
        int numberLength = PacketNumber.LengthOf(number, _loss.LargestAcknowledged(PacketNumberSpace.Application));
        PacketLayout layout = ShortHeader.Write(datagram, _writeId, _isSpinning, number, numberLength);
        Span<byte> payload = datagram[layout.PayloadOffset..^Protection.PacketCiphers.TagLength];
        var writer = new WireWriter(payload);
        WriteApplicationFrames(path, ref writer, mayOnlyAcknowledge);
        int length = writer.Position;
        if (length == 0)
        {
            return 0;
        }

        int least = Protection.HeaderProtection.MinPayloadLength(numberLength);
        if (length < least)
        {
            payload[length..least].Clear();
            length = least;
        }

        if (second is not null)
        {
            KeepCopy(_application, second, payload[..length]);
        }

        return Seal(_application, datagram, layout, number, length, isPadded: false);
    }

    // RFC 9001 section 6.6: a new key long before the old one may not be used any more; at the very limit nothing is left but to close.
    private bool IsSealingPossible(TimeSpan now)
    {
        if (_oneRtt!.IsUpdateDue && _oneRtt.TryUpdate())
        {
            Counters.KeyUpdates++;
            TraceKeyUpdate(now);
        }

        if (_oneRtt.CanSeal)
        {
            return true;
        }

        CloseFor(now, new QuicError(TransportErrorCode.AeadLimitReached, "the confidentiality limit of the keys is reached"));
        return false;
    }

    private void CountDatagrams(ConnectionPath path, int length, int count)
    {
        path.OnSent(length);
        Counters.DatagramsSent += count;
        Counters.BytesSent += length;
    }
}
