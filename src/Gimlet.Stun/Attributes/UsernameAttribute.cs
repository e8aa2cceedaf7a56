namespace Gimlet.Stun.Attributes;

/// <summary>USERNAME (RFC 8489 section 14.3): whose credentials the message was signed with.</summary>
public static class UsernameAttribute
{
    /// <summary>The most bytes that a value may have: RFC 8489 section 14.3 says fewer than 509 bytes.</summary>
    public const int MaxLength = 508;

    /// <summary>Reads USERNAME.</summary>
    /// <param name="message">The message.</param>
    /// <param name="utf8">The text in UTF-8, not validated, when the attribute is there and not too long.</param>
    public static bool TryGetUsername(this StunMessage message, out ReadOnlySpan<byte> utf8) =>
        message.TryGetValue(StunAttributeType.Username, out utf8) && utf8.Length <= MaxLength;

    /// <summary>Adds USERNAME.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="utf8">The text in UTF-8, at most <see cref="MaxLength"/> bytes.</param>
    public static void AddUsername(this ref StunMessageBuilder builder, scoped ReadOnlySpan<byte> utf8)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(utf8.Length, MaxLength, nameof(utf8));
        builder.Add(StunAttributeType.Username, utf8);
    }
}
