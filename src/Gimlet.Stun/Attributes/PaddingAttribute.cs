namespace Gimlet.Stun.Attributes;

/// <summary>PADDING (RFC 5780 section 7.6): bytes that make a message as long as a test needs it.</summary>
public static class PaddingAttribute
{
    /// <summary>Reads PADDING.</summary>
    /// <param name="message">The message.</param>
    /// <param name="length">The number of bytes, when the attribute is there.</param>
    public static bool TryGetPadding(this StunMessage message, out int length)
    {
        bool found = message.TryGetValue(StunAttributeType.Padding, out ReadOnlySpan<byte> value);
        length = value.Length;
        return found;
    }

    /// <summary>Adds PADDING of zeros.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="length">The number of bytes; RFC 5780 section 7.6 wants a multiple of 4.</param>
    public static void AddPadding(this ref StunMessageBuilder builder, int length)
    {
        if (builder.TryReserve(StunAttributeType.Padding, length, out Span<byte> value))
        {
            value.Clear();
        }
    }
}
