namespace Gimlet.Quic.Wire;

/// <summary>One packet of a datagram, still protected.</summary>
internal readonly ref struct PacketSlice
{
    /// <summary>Makes a slice of a packet with a packet number.</summary>
    public PacketSlice(
        Span<byte> bytes,
        PacketType type,
        scoped in ConnectionId destination,
        scoped in ConnectionId source,
        ReadOnlySpan<byte> token,
        int packetNumberOffset)
    {
        Bytes = bytes;
        Type = type;
        Destination = destination;
        Source = source;
        Token = token;
        PacketNumberOffset = packetNumberOffset;
    }

    /// <summary>Makes a slice of a packet that fills its datagram: Retry or Version Negotiation.</summary>
    public PacketSlice(Span<byte> bytes, PacketType type)
    {
        Bytes = bytes;
        Type = type;
    }

    /// <summary>The whole packet; it is opened in place.</summary>
    public Span<byte> Bytes { get; }

    /// <summary>Retry and Version Negotiation have their own readers; of these only <see cref="Bytes"/> is set.</summary>
    public PacketType Type { get; }

    public ConnectionId Destination { get; }

    /// <summary>Empty in a short header.</summary>
    public ConnectionId Source { get; }

    /// <summary>The token of an Initial packet.</summary>
    public ReadOnlySpan<byte> Token { get; }

    /// <summary>Where the packet number begins.</summary>
    public int PacketNumberOffset { get; }
}
