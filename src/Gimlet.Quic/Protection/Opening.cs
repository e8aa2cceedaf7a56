using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Protection;

/// <summary>A packet without its header protection; nothing of it is authentic yet.</summary>
/// <param name="PacketNumber">The full packet number.</param>
/// <param name="PayloadOffset">Where the payload begins.</param>
internal readonly record struct UncoveredPacket(long PacketNumber, int PayloadOffset);

/// <summary>What opening a packet is, with whatever keys: the header, the payload, the rules, in this order.</summary>
internal static class Opening
{
    /// <summary>The connection has seen too many packets that do not authenticate.</summary>
    public static OpenedPacket LimitReached { get; } = new(
        OpenResult.LimitReached, new QuicError(TransportErrorCode.AeadLimitReached, "the integrity limit of the keys is reached"));

    /// <summary>Removes header protection and recovers the packet number.</summary>
    /// <returns>False when the packet is too short for a sample.</returns>
    public static bool TryRemoveHeader(
        IHeaderProtector header, Span<byte> packet, int packetNumberOffset, long largestReceived, out UncoveredPacket uncovered)
    {
        uncovered = default;
        if (packet.Length < packetNumberOffset + HeaderProtection.MinLengthFromPacketNumber)
        {
            return false;
        }

        int length = HeaderProtection.Remove(header, packet, packetNumberOffset);
        long truncated = PacketNumber.ReadTruncated(packet.Slice(packetNumberOffset, length));
        uncovered = new UncoveredPacket(PacketNumber.Decode(truncated, length, largestReceived), packetNumberOffset + length);
        return true;
    }

    /// <summary>Looks at the bits of an authentic packet that must be zero.</summary>
    public static OpenedPacket Check(ReadOnlySpan<byte> packet, UncoveredPacket uncovered, int generation)
    {
        // RFC 9000 section 17.2: "An endpoint MUST treat receipt of a packet that has a non-zero value for these bits after removing both packet and
        // header protection as a connection error of type PROTOCOL_VIOLATION. Discarding such a packet after only removing header protection
        // can expose the endpoint to attacks". So only here.
        int reserved = HeaderBits.IsLong(packet[0]) ? HeaderBits.LongReserved : HeaderBits.ShortReserved;
        if ((packet[0] & reserved) != 0)
        {
            return new OpenedPacket(
                OpenResult.Violation, new QuicError(TransportErrorCode.ProtocolViolation, "reserved bits of a packet's header are set"));
        }

        int payloadLength = packet.Length - uncovered.PayloadOffset - PacketCiphers.TagLength;
        return new OpenedPacket(
            OpenResult.Opened, uncovered.PacketNumber, uncovered.PayloadOffset, payloadLength, generation, QuicError.None);
    }

    /// <summary>Counts a packet that does not authenticate.</summary>
    public static OpenedPacket CountForgery(ForgeryCount forgeries)
    {
        forgeries.Add();
        return forgeries.IsLimitReached ? LimitReached : new OpenedPacket(OpenResult.NotAuthentic);
    }
}
