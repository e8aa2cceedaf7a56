namespace Gimlet.Stun.Attributes;

/// <summary>ERROR-CODE (RFC 8489 section 14.8): a number from 300 to 699 and a reason for people.</summary>
public static class ErrorCodeAttribute
{
    /// <summary>
    /// The most bytes of reason that are written: RFC 8489 section 14.8 says fewer than 128 characters, which can be as long as 509
    /// bytes when encoding them.
    /// </summary>
    public const int MaxReasonLength = 509;

    // "... or 763 bytes when decoding them"
    private const int MaxReadLength = 763;
    private const int HeaderLength = 4;

    /// <summary>Reads ERROR-CODE.</summary>
    /// <param name="message">The message.</param>
    /// <param name="code">The code, when the attribute is there and well-formed; it may be one that the registry does not know.</param>
    /// <param name="reasonUtf8">The reason in UTF-8, not validated.</param>
    public static bool TryGetErrorCode(this StunMessage message, out StunErrorCode code, out ReadOnlySpan<byte> reasonUtf8)
    {
        code = default;
        reasonUtf8 = default;
        if (!message.TryGetValue(StunAttributeType.ErrorCode, out ReadOnlySpan<byte> value)
            || value.Length is < HeaderLength or > HeaderLength + MaxReadLength)
        {
            return false;
        }

        // RFC 8489 section 14.8: "The Class represents the hundreds digit of the error code. The value MUST be between 3 and 6.
        // The Number represents the binary encoding of the error code modulo 100, and its value MUST be between 0 and 99."
        int hundreds = value[2] & 0x07;
        int number = value[3];
        if (hundreds is < 3 or > 6 || number > 99)
        {
            return false;
        }

        code = (StunErrorCode)((hundreds * 100) + number);
        reasonUtf8 = value[HeaderLength..];
        return true;
    }

    /// <summary>Adds ERROR-CODE.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="code">The code, 300 to 699.</param>
    /// <param name="reasonUtf8">The reason in UTF-8. Answers to strangers leave it out: it would amplify what they send.</param>
    public static void AddErrorCode(this ref StunMessageBuilder builder, StunErrorCode code, scoped ReadOnlySpan<byte> reasonUtf8 = default)
    {
        int number = (int)code;
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 300, nameof(code));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, 699, nameof(code));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(reasonUtf8.Length, MaxReasonLength, nameof(reasonUtf8));
        if (builder.TryReserve(StunAttributeType.ErrorCode, HeaderLength + reasonUtf8.Length, out Span<byte> value))
        {
            value[0] = 0;
            value[1] = 0;
            value[2] = (byte)(number / 100);
            value[3] = (byte)(number % 100);
            reasonUtf8.CopyTo(value[HeaderLength..]);
        }
    }
}
