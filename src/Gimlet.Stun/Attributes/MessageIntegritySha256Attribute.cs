using System.Security.Cryptography;

namespace Gimlet.Stun.Attributes;

/// <summary>MESSAGE-INTEGRITY-SHA256 (RFC 8489 section 14.6): HMAC-SHA-256 over what precedes it.</summary>
public static class MessageIntegritySha256Attribute
{
    /// <summary>The length of the value in bytes.</summary>
    public const int ValueLength = 32;

    /// <summary>
    /// True when MESSAGE-INTEGRITY-SHA256 is there and was made with the key. Compared in constant time. RFC 8489 lets a
    /// usage truncate the value to 16 bytes or more; ours does not, so only the full 32 bytes verify.
    /// </summary>
    /// <param name="message">The message.</param>
    /// <param name="key">The key: the password for short-term credentials (RFC 8489 section 9.1.1).</param>
    public static bool VerifyMessageIntegritySha256(this StunMessage message, ReadOnlySpan<byte> key)
    {
        if (!message.TryGet(StunAttributeType.MessageIntegritySha256, out StunAttribute attribute) || attribute.Value.Length != ValueLength)
        {
            return false;
        }

        Span<byte> expected = stackalloc byte[ValueLength];
        using (var text = new IntegrityText(message, attribute, stackalloc byte[IntegrityText.StackLength]))
        {
            _ = HMACSHA256.HashData(key, text.Bytes, expected);
        }

        return CryptographicOperations.FixedTimeEquals(expected, attribute.Value);
    }

    /// <summary>Adds MESSAGE-INTEGRITY-SHA256 over everything so far.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="key">The key.</param>
    public static void AddMessageIntegritySha256(this ref StunMessageBuilder builder, scoped ReadOnlySpan<byte> key)
    {
        // RFC 8489 section 14.5: the length in the header counts this attribute while the HMAC is taken; reserving has seen to it.
        int covered = builder.Length;
        if (builder.TryReserve(StunAttributeType.MessageIntegritySha256, ValueLength, out Span<byte> value))
        {
            _ = HMACSHA256.HashData(key, builder.Buffer[..covered], value);
        }
    }
}
