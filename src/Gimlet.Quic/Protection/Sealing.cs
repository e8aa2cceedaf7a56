using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Protection;

/// <summary>What sealing a packet is, with whatever keys: the length, the payload, the header, in this order.</summary>
internal static class Sealing
{
    /// <inheritdoc cref="PacketSealer.Seal"/>
    public static int Seal(
        AeadKey key, IHeaderProtector header, Span<byte> packet, in PacketLayout layout, long packetNumber, int payloadLength)
    {
        // RFC 9001 section 5.4.2: "packets are padded so that the combined lengths of the encoded packet number and protected payload is at least 4
        // bytes longer than the sample required for header protection."
        ArgumentOutOfRangeException.ThrowIfLessThan(payloadLength, HeaderProtection.MinPayloadLength(layout.PacketNumberLength));
        if (layout.IsLong)
        {
            LongHeader.WriteLength(packet, layout, payloadLength + PacketCiphers.TagLength);
        }

        key.Seal(packet, layout.PayloadOffset, payloadLength, packetNumber);
        HeaderProtection.Apply(header, packet, layout);
        return layout.PayloadOffset + payloadLength + PacketCiphers.TagLength;
    }
}
