using System.Buffers.Binary;

namespace Gimlet.Stun.Attributes;

/// <summary>
/// FINGERPRINT (RFC 8489 section 14.7): the CRC-32 of what precedes it. It tells STUN from other protocols on a port; it proves
/// nothing about who sent the message.
/// </summary>
public static class FingerprintAttribute
{
    // "XOR'ed with the 32-bit value 0x5354554e", "STUN" in ASCII: other protocols carry plain CRC-32s too.
    private const uint Mask = 0x5354554E;

    /// <summary>
    /// True when FINGERPRINT is there, is the last attribute and is right. Use <see cref="StunMessage.Contains"/> to tell a wrong
    /// one from none.
    /// </summary>
    /// <param name="message">The message.</param>
    public static bool VerifyFingerprint(this StunMessage message) =>
        message.TryGet(StunAttributeType.Fingerprint, out StunAttribute attribute)
        && attribute.Value.Length == sizeof(uint)
        && attribute.Offset + StunHeader.AttributeHeaderLength + sizeof(uint) == message.Bytes.Length
        && BinaryPrimitives.ReadUInt32BigEndian(attribute.Value) == (Crc32.Compute(message.Bytes[..attribute.Offset]) ^ Mask);

    /// <summary>Adds FINGERPRINT. Nothing may follow.</summary>
    /// <param name="builder">The message being built.</param>
    public static void AddFingerprint(this ref StunMessageBuilder builder)
    {
        // RFC 8489 section 14.7: the length in the header counts FINGERPRINT before the CRC is taken; reserving has seen to it.
        int covered = builder.Length;
        if (builder.TryReserve(StunAttributeType.Fingerprint, sizeof(uint), out Span<byte> value))
        {
            BinaryPrimitives.WriteUInt32BigEndian(value, Crc32.Compute(builder.Buffer[..covered]) ^ Mask);
        }
    }
}
