namespace Gimlet.Stun.Attributes;

/// <summary>SOFTWARE (RFC 8489 section 14.14): the sender's name for itself; for people only.</summary>
public static class SoftwareAttribute
{
    /// <summary>
    /// The most bytes that are written: RFC 8489 section 14.14 says fewer than 128 characters, which can be as long as 509 bytes when
    /// encoding them.
    /// </summary>
    public const int MaxLength = 509;

    // "... and as long as 763 bytes when decoding them"
    private const int MaxReadLength = 763;

    /// <summary>Reads SOFTWARE.</summary>
    /// <param name="message">The message.</param>
    /// <param name="utf8">The text in UTF-8, not validated, when the attribute is there and not too long.</param>
    public static bool TryGetSoftware(this StunMessage message, out ReadOnlySpan<byte> utf8) =>
        message.TryGetValue(StunAttributeType.Software, out utf8) && utf8.Length <= MaxReadLength;

    /// <summary>Adds SOFTWARE.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="utf8">The text in UTF-8, at most <see cref="MaxLength"/> bytes.</param>
    public static void AddSoftware(this ref StunMessageBuilder builder, scoped ReadOnlySpan<byte> utf8)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(utf8.Length, MaxLength, nameof(utf8));
        builder.Add(StunAttributeType.Software, utf8);
    }
}
