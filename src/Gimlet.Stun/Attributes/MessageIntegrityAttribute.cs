using System.Security.Cryptography;

#pragma warning disable CA5350 // RFC 8489 section 14.5 prescribes HMAC-SHA-1, which is not broken the way SHA-1 is

namespace Gimlet.Stun.Attributes;

/// <summary>MESSAGE-INTEGRITY (RFC 8489 section 14.5): HMAC-SHA-1 over what precedes it.</summary>
public static class MessageIntegrityAttribute
{
    /// <summary>The length of the value in bytes.</summary>
    public const int ValueLength = 20;

    /// <summary>
    /// True when MESSAGE-INTEGRITY is there and was made with the key. Compared in constant time. 
    /// </summary>
    /// <param name="message">The message.</param>
    /// <param name="key">The key: the password for short-term credentials (RFC 8489 section 9.1.1).</param>
    public static bool VerifyMessageIntegrity(this StunMessage message, ReadOnlySpan<byte> key)
    {
        if (!message.TryGet(StunAttributeType.MessageIntegrity, out StunAttribute attribute) || attribute.Value.Length != ValueLength)
        {
            return false;
        }

        Span<byte> expected = stackalloc byte[ValueLength];
        using (var text = new IntegrityText(message, attribute, stackalloc byte[IntegrityText.StackLength]))
        {
            _ = HMACSHA1.HashData(key, text.Bytes, expected);
        }

        return CryptographicOperations.FixedTimeEquals(expected, attribute.Value);
    }

    /// <summary>Adds MESSAGE-INTEGRITY over everything so far.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="key">The key.</param>
    public static void AddMessageIntegrity(this ref StunMessageBuilder builder, scoped ReadOnlySpan<byte> key)
    {
        // RFC 8489 section 14.5: the length in the header counts this attribute while the HMAC is taken; reserving has seen to it.
        int covered = builder.Length;
        if (builder.TryReserve(StunAttributeType.MessageIntegrity, ValueLength, out Span<byte> value))
        {
            _ = HMACSHA1.HashData(key, builder.Buffer[..covered], value);
        }
    }
}
