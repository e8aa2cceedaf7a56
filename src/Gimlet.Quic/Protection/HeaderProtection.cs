using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Protection;

/// <summary>Applies and removes header protection (RFC 9001 section 5.4.1).</summary>
internal static class HeaderProtection
{
    // "The four least-significant bits of the first byte are protected for packets with long headers; the five least significant bits of the
    // first byte are protected for packets with short headers."
    private const byte LongBits = 0x0f;
    private const byte ShortBits = 0x1f;

    /// <summary>
    /// From the packet number to the end of a packet, the least there must be. RFC 9001 section 5.4.2: "the Packet Number field is assumed
    /// to be 4 bytes long (its maximum possible encoded length)".
    /// </summary>
    public const int MinLengthFromPacketNumber = PacketNumber.MaxLength + IHeaderProtector.SampleLength;

    /// <summary>
    /// The frames that a packet needs, in bytes, so that there is a sample behind its packet number: 3 for a packet number of one byte, 0
    /// for one of four. Shorter payloads are filled with PADDING.
    /// </summary>
    public static int MinPayloadLength(int packetNumberLength) => PacketNumber.MaxLength - packetNumberLength;

    /// <summary>Protects the header of a sealed packet.</summary>
    /// <param name="protector">The key.</param>
    /// <param name="packet">The packet, payload sealed.</param>
    /// <param name="layout">Where its packet number is.</param>
    public static void Apply(IHeaderProtector protector, Span<byte> packet, in PacketLayout layout)
    {
        Span<byte> mask = stackalloc byte[IHeaderProtector.SampleLength];
        protector.Mask(SampleOf(packet, layout.PacketNumberOffset), mask);
        packet[0] ^= (byte)(mask[0] & BitsOf(packet[0]));
        Xor(packet.Slice(layout.PacketNumberOffset, layout.PacketNumberLength), mask[1..]);
    }

    /// <summary>Removes the protection.</summary>
    /// <param name="protector">The key.</param>
    /// <param name="packet">The packet; at least <see cref="MinLengthFromPacketNumber"/> from its packet number on.</param>
    /// <param name="packetNumberOffset">Where the packet number begins.</param>
    /// <returns>The length of the packet number in bytes.</returns>
    public static int Remove(IHeaderProtector protector, Span<byte> packet, int packetNumberOffset)
    {
        Span<byte> mask = stackalloc byte[IHeaderProtector.SampleLength];
        protector.Mask(SampleOf(packet, packetNumberOffset), mask);
        packet[0] ^= (byte)(mask[0] & BitsOf(packet[0]));
        int length = (packet[0] & HeaderBits.PacketNumberLengthMask) + 1;
        Xor(packet.Slice(packetNumberOffset, length), mask[1..]);
        return length;
    }

    private static ReadOnlySpan<byte> SampleOf(ReadOnlySpan<byte> packet, int packetNumberOffset) =>
        packet.Slice(packetNumberOffset + PacketNumber.MaxLength, IHeaderProtector.SampleLength);

    private static byte BitsOf(byte first) => HeaderBits.IsLong(first) ? LongBits : ShortBits;

    private static void Xor(Span<byte> bytes, ReadOnlySpan<byte> mask)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= mask[i];
        }
    }
}
