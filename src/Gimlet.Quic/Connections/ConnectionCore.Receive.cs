using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <content>Datagrams, down to the frames of packets that are authentic and new (RFC 9000 section 5.2, 12.2).</content>
internal sealed partial class ConnectionCore
{
    private readonly UndecryptablePackets _undecryptable = new();
    private bool _hasNewKeys;

    /// <summary>Takes a UDP datagram: one or more coalesced packets. They are decrypted in place.</summary>
    public void HandleDatagram(TimeSpan now, PathId path, EcnCodepoint ecn, Span<byte> datagram)
    {
        if (_phase != ClosePhase.Open)
        {
            HandleWhileClosing(now, path, datagram);
            return;
        }

        Counters.DatagramsReceived++;
        Counters.BytesReceived += datagram.Length;
        var arrival = new Arrival(now, path, ecn, datagram.Length);
        if (!MayComeFrom(path))
        {
            Drop(arrival, type: null, datagram.Length, PacketDropReason.UnknownPath);
            return;
        }

        // RFC 9000 section 8.1: all of a datagram counts, once it is clear which connection it is for.
        TryFindPath(path)?.OnReceived(datagram.Length);

        // Flow control windows grow by how fast they are used up, measured in round trips; a side that only receives has this clock alone.
        Streams.UpdateRtt(now, _current.Recovery.Rtt.Smoothed);
        var packets = new CoalescedPackets(datagram, LocalIdLength);
        while (_phase == ClosePhase.Open && packets.TryRead(out PacketSlice packet))
        {
            HandlePacket(arrival, packet);
        }

        Counters.PacketsDropped += packets.Ignored;
        if (!packets.Rest.IsEmpty)
        {
            Drop(arrival, type: null, packets.Rest.Length, PacketDropReason.HeaderInvalid);
        }

        while (_hasNewKeys && _phase == ClosePhase.Open)
        {
            _hasNewKeys = false;
            RetryUndecryptable(now);
        }

        if (Role == EndpointRole.Server && Counters.PacketsReceived == 0 && _phase == ClosePhase.Open)
        {
            // The Initial that made us was forged, or broken on the way: what it said of the client is not to be believed. Kept, we would be a half-open
            // handshake for nothing, and the genuine Initial, which goes to the same id, would never get a connection of its own.
            Finish(new CloseReason(CloseKind.Abandoned, 0, FrameType.Padding, "the first datagram held no authentic packet"));
        }
    }

    private void HandlePacket(in Arrival arrival, in PacketSlice packet)
    {
        switch (packet.Type)
        {
            case PacketType.Initial:
                HandleLongPacket(arrival, packet, _initial);
                break;
            case PacketType.Handshake:
                HandleLongPacket(arrival, packet, _handshake);
                break;
            case PacketType.OneRtt:
                HandleOneRttPacket(arrival, packet);
                break;
            case PacketType.Retry:
                HandleRetry(arrival, packet.Bytes);
                break;
            case PacketType.VersionNegotiation:
                HandleVersionNegotiation(arrival, packet.Bytes);
                break;
            default:
                // 0-RTT is not offered.
                Drop(arrival, packet.Type, packet.Bytes.Length, PacketDropReason.KeyUnavailable);
                break;
        }
    }

    private void HandleLongPacket(in Arrival arrival, in PacketSlice packet, PacketSpace space)
    {
        if (space.Opener is null)
        {
            KeepForLater(arrival, packet, canStillBeOpened: !space.IsDiscarded);
            return;
        }

        if (!IsLongHeaderExpected(arrival, packet))
        {
            Drop(arrival, packet.Type, packet.Bytes.Length, PacketDropReason.Unexpected);
            return;
        }

        OpenedPacket opened = space.Opener.Open(packet.Bytes, packet.PacketNumberOffset, space.Received.Largest);
        if (!Accept(arrival, packet, space, opened))
        {
            return;
        }

        if (space == _initial && Role == EndpointRole.Client)
        {
            LearnServerId(packet.Source);
        }

        if (space == _handshake && Role == EndpointRole.Server)
        {
            OnClientHandshakePacket(arrival);
        }

        HandlePayload(arrival, packet, space, opened);
    }

    private void HandleOneRttPacket(in Arrival arrival, in PacketSlice packet)
    {
        // RFC 9001 section 5.7: "A server MUST NOT process incoming 1-RTT protected packets before the TLS handshake is complete." Its read secret
        // does not come before that.
        if (_oneRtt is null)
        {
            KeepForLater(arrival, packet, canStillBeOpened: true);
            return;
        }

        int generation = _oneRtt.ReadGeneration;
        int ours = _oneRtt.WriteGeneration;
        OpenedPacket opened = _oneRtt.Open(packet.Bytes, packet.PacketNumberOffset, _application.Received.Largest);
        if (_oneRtt.ReadGeneration != generation)
        {
            OnKeysUpdatedByPeer(arrival.Now, isTheirs: _oneRtt.WriteGeneration != ours);
        }

        if (Accept(arrival, packet, _application, opened))
        {
            HandlePayload(arrival, packet, _application, opened);
        }
    }

    // True for an authentic packet that was not seen before.
    private bool Accept(in Arrival arrival, in PacketSlice packet, PacketSpace space, in OpenedPacket opened)
    {
        switch (opened.Result)
        {
            case OpenResult.Opened:
                // RFC 9000 section 12.3: "A receiver MUST discard a newly unprotected packet unless it is certain that it has not processed another
                // packet with the same packet number from the same packet number space."
                if (space.Received.IsNew(opened.PacketNumber))
                {
                    Counters.PacketsReceived++;
                    return true;
                }

                Drop(arrival, packet.Type, packet.Bytes.Length, PacketDropReason.Duplicate);
                return false;
            case OpenResult.NotAuthentic or OpenResult.TooShort when IsStatelessReset(packet):
                EnterDraining(arrival.Now, new CloseReason(CloseKind.StatelessReset, 0, default, "the peer has forgotten the connection"));
                return false;
            case OpenResult.Violation or OpenResult.LimitReached:
                CloseFor(arrival.Now, opened.Error);
                return false;
            default:
                PacketDropReason reason = opened.Result == OpenResult.TooShort ? PacketDropReason.TooSmall : PacketDropReason.DecryptionFailure;
                Drop(arrival, packet.Type, packet.Bytes.Length, reason);
                return false;
        }
    }

    private void Drop(in Arrival arrival, PacketType? type, int size, PacketDropReason reason)
    {
        Counters.PacketsDropped++;
        _trace?.PacketDropped(arrival.Now, arrival.Path, type, size, reason);
    }

    // RFC 9000 section 10.3.1: the last 16 bytes of the datagram; "the endpoint MUST NOT check for any stateless reset tokens associated with connection
    // IDs it has not used or for connection IDs that have been retired" is the table's to obey.
    private bool IsStatelessReset(in PacketSlice packet) =>
        packet.Type == PacketType.OneRtt
        && packet.Bytes.Length >= StatelessResetToken.Length
        && _remoteIds.IsResetToken(packet.Bytes[^StatelessResetToken.Length..]);

    private bool IsLongHeaderExpected(in Arrival arrival, in PacketSlice packet)
    {
        if (Role == EndpointRole.Server)
        {
            // RFC 9000 section 14.1: "A server MUST discard an Initial packet that is carried in a UDP datagram with a payload that is smaller than the
            // smallest allowed maximum datagram size of 1200 bytes."
            return packet.Source == _peerHandshakeId
                && (packet.Type != PacketType.Initial || arrival.DatagramLength >= TransportParameters.MinMaxUdpPayloadSize);
        }

        // RFC 9000 section 7.2: once a client has received a valid Initial packet, it "MUST discard any subsequent packet it receives on that connection
        // with a different Source Connection ID". Section 17.2.2: an Initial of a server has no token.
        return (!_hasServerId || packet.Source == _peerHandshakeId) && packet.Token.IsEmpty;
    }

    private void KeepForLater(in Arrival arrival, in PacketSlice packet, bool canStillBeOpened)
    {
        if (!canStillBeOpened)
        {
            Drop(arrival, packet.Type, packet.Bytes.Length, PacketDropReason.KeyUnavailable);
        }
        else if (!_undecryptable.TryAdd(packet.Bytes, arrival.Path, arrival.Ecn, arrival.DatagramLength))
        {
            Drop(arrival, packet.Type, packet.Bytes.Length, PacketDropReason.BufferFull);
        }
    }

    // New keys came: what waited for them is looked at again, and what still has none is kept again.
    private void RetryUndecryptable(TimeSpan now)
    {
        for (int i = _undecryptable.Count; i > 0 && _phase == ClosePhase.Open && _undecryptable.TryTake(out UndecryptablePackets.Kept kept); i--)
        {
            var arrival = new Arrival(now, kept.Path, kept.Ecn, kept.DatagramLength);
            var packets = new CoalescedPackets(kept.Bytes, LocalIdLength);
            if (packets.TryRead(out PacketSlice packet))
            {
                HandlePacket(arrival, packet);
            }
        }
    }

    /// <summary>How a datagram came.</summary>
    [StructLayout(LayoutKind.Auto)]
    [SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types", Justification = "Never compared.")]
    private readonly struct Arrival(TimeSpan now, PathId path, EcnCodepoint ecn, int datagramLength)
    {
        public TimeSpan Now { get; } = now;

        public PathId Path { get; } = path;

        public EcnCodepoint Ecn { get; } = ecn;

        public int DatagramLength { get; } = datagramLength;
    }
}
