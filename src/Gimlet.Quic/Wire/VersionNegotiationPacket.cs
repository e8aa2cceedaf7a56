using System.Buffers.Binary;

namespace Gimlet.Quic.Wire;

/// <summary>A Version Negotiation packet (RFC 9000 section 17.2.1, RFC 8999 section 6).</summary>
internal readonly ref struct VersionNegotiationPacket
{
    private readonly ReadOnlySpan<byte> _versions;

    private VersionNegotiationPacket(scoped in InvariantHeader invariant, ReadOnlySpan<byte> versions)
    {
        DestinationConnectionId = invariant.DestinationConnectionId;
        SourceConnectionId = invariant.SourceConnectionId;
        _versions = versions;
    }

    /// <summary>The id that the client gave itself; 0 to 255 bytes.</summary>
    public ReadOnlySpan<byte> DestinationConnectionId { get; }

    /// <summary>The id that the client sent to; 0 to 255 bytes.</summary>
    public ReadOnlySpan<byte> SourceConnectionId { get; }

    /// <summary>How many versions the server lists; at least one.</summary>
    public int VersionCount => _versions.Length / sizeof(uint);

    /// <summary>Reads a packet. False means: drop it.</summary>
    /// <param name="datagram">The datagram: a Version Negotiation packet is alone in it.</param>
    /// <param name="packet">The packet.</param>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out VersionNegotiationPacket packet)
    {
        packet = default;
        if (!InvariantHeader.TryReadLong(datagram, out InvariantHeader invariant) || invariant.Version != QuicVersion.Negotiation)
        {
            return false;
        }

        // RFC 8999 section 6: "An endpoint MUST ignore a packet that contains no Supported Version fields or contains a truncated
        // Supported Version value."
        ReadOnlySpan<byte> versions = datagram[invariant.Length..];
        if (versions.IsEmpty || versions.Length % sizeof(uint) != 0)
        {
            return false;
        }

        packet = new VersionNegotiationPacket(invariant, versions);
        return true;
    }

    /// <summary>One of the versions.</summary>
    /// <param name="index">0 to <see cref="VersionCount"/> - 1.</param>
    public QuicVersion GetVersion(int index) => (QuicVersion)BinaryPrimitives.ReadUInt32BigEndian(_versions[(index * sizeof(uint))..]);

    /// <summary>
    /// Whether the list has a version. RFC 9000 section 6.2: "A client MUST discard a Version Negotiation packet that lists the QUIC
    /// version selected by the client."
    /// </summary>
    public bool Lists(QuicVersion version)
    {
        for (int i = 0; i < VersionCount; i++)
        {
            if (GetVersion(i) == version)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>How many bytes a packet takes.</summary>
    public static int LengthOf(int destinationLength, int sourceLength, int versionCount) =>
        InvariantHeader.LengthOfLong(destinationLength, sourceLength) + (versionCount * sizeof(uint));

    /// <summary>Writes the answer to a packet of a version that is not spoken.</summary>
    /// <param name="destination">Where it goes; has room for <see cref="LengthOf"/>.</param>
    /// <param name="received">
    /// The header of the client's packet. RFC 9000 section 17.2.1: "The server MUST include the value from the Source Connection ID field of
    /// the packet it receives in the Destination Connection ID field."
    /// </param>
    /// <param name="versions">The versions that are spoken, perhaps with a reserved one.</param>
    /// <param name="unusedBits">Any value; the lowest six bits show.</param>
    /// <returns>The length.</returns>
    public static int Write(Span<byte> destination, in InvariantHeader received, ReadOnlySpan<QuicVersion> versions, byte unusedBits)
    {
        // RFC 9000 section 17.2.1: "Where QUIC might be multiplexed with other protocols, servers SHOULD set the most significant bit
        // of this field (0x40) to 1".
        int first = HeaderBits.Long | HeaderBits.Fixed | (unusedBits & 0x3f);
        var writer = new WireWriter(destination);
        InvariantHeader.WriteLong(
            ref writer, (byte)first, QuicVersion.Negotiation, received.SourceConnectionId, received.DestinationConnectionId);
        foreach (QuicVersion version in versions)
        {
            writer.WriteUInt32((uint)version);
        }

        return writer.Position;
    }
}
