namespace Gimlet.Stun;

/// <summary>One attribute of a message: a view of its bytes, valid as long as they are (RFC 8489 section 14).</summary>
public readonly ref struct StunAttribute
{
    internal StunAttribute(StunAttributeType type, ReadOnlySpan<byte> value, int offset)
    {
        Type = type;
        Value = value;
        Offset = offset;
    }

    /// <summary>The type. It may be a number that the registry does not know.</summary>
    public StunAttributeType Type { get; }

    /// <summary>The value without its padding.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>Where the attribute (its type) starts in the message, in bytes.</summary>
    internal int Offset { get; }
}
