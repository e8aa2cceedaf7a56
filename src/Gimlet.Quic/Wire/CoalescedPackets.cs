namespace Gimlet.Quic.Wire;

/// <summary>Takes a datagram apart into its packets (RFC 9000 section 12.2).</summary>
internal ref struct CoalescedPackets
{
    private readonly int _shortIdLength;
    private Span<byte> _rest;
    private ConnectionId _first;
    private bool _isFirst = true;

    /// <summary>Begins with a datagram.</summary>
    /// <param name="datagram">The datagram; packets are opened in place.</param>
    /// <param name="shortIdLength">The length of the ids this endpoint gives out, 0 to 20.</param>
    public CoalescedPackets(Span<byte> datagram, int shortIdLength)
    {
        _rest = datagram;
        _shortIdLength = shortIdLength;
    }

    /// <summary>Packets that were passed over because they go to another id than the first.</summary>
    public int Ignored { get; private set; }

    /// <summary>What is left. After the last packet: bytes that are no packet of version 1, or nothing.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>Takes the next packet.</summary>
    /// <param name="packet">The packet.</param>
    /// <returns>False when no packet of version 1 is left.</returns>
    public bool TryRead(out PacketSlice packet)
    {
        packet = default;
        while (!_rest.IsEmpty)
        {
            if (!(HeaderBits.IsLong(_rest[0]) ? TryTakeLong(out packet) : TryTakeShort(out packet)))
            {
                return false;
            }

            // RFC 9000 section 12.2: "Receivers SHOULD ignore any subsequent packets with a different Destination Connection ID than
            // the first packet in the datagram."
            if (_isFirst || packet.Destination == _first)
            {
                _first = packet.Destination;
                _isFirst = false;
                return true;
            }

            Ignored++;
        }

        return false;
    }

    private bool TryTakeLong(out PacketSlice packet)
    {
        packet = default;
        if (LongHeader.TryRead(_rest, out LongHeader header))
        {
            Span<byte> bytes = _rest[..header.PacketLength];
            _rest = _rest[header.PacketLength..];
            packet = new PacketSlice(bytes, header.Type, header.Destination, header.Source, header.Token, header.PacketNumberOffset);
            return true;
        }

        // RFC 9000 section 12.2: "there is no situation where a Retry or Version Negotiation packet is coalesced with another packet."
        return _isFirst && TryTakeLone(out packet);
    }

    private bool TryTakeLone(out PacketSlice packet)
    {
        packet = default;
        if (RetryPacket.TryRead(_rest, out _))
        {
            packet = new PacketSlice(_rest, PacketType.Retry);
        }
        else if (VersionNegotiationPacket.TryRead(_rest, out _))
        {
            packet = new PacketSlice(_rest, PacketType.VersionNegotiation);
        }
        else
        {
            return false;
        }

        _rest = default;
        return true;
    }

    // RFC 9000 section 12.2: "A packet with a short header does not include a length, so it can only be the last packet included in a UDP
    // datagram."
    private bool TryTakeShort(out PacketSlice packet)
    {
        packet = default;
        if (!ShortHeader.TryRead(_rest, _shortIdLength, out ShortHeader header))
        {
            return false;
        }

        packet = new PacketSlice(_rest, PacketType.OneRtt, header.Destination, source: default, token: default, header.PacketNumberOffset);
        _rest = default;
        return true;
    }
}
