using System.Buffers.Binary;

namespace Gimlet.Stun.Attributes;

/// <summary>UNKNOWN-ATTRIBUTES (RFC 8489 section 14.13): the types that made a server answer 420.</summary>
public readonly ref struct UnknownAttributeList
{
    private readonly ReadOnlySpan<byte> _value;

    internal UnknownAttributeList(ReadOnlySpan<byte> value)
    {
        _value = value;
    }

    /// <summary>How many types the list has.</summary>
    public int Count => _value.Length / sizeof(ushort);

    /// <summary>A type of the list.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    public StunAttributeType this[int index] =>
        (StunAttributeType)BinaryPrimitives.ReadUInt16BigEndian(_value.Slice(index * sizeof(ushort), sizeof(ushort)));
}

/// <summary>Reads and writes <see cref="UnknownAttributeList"/>.</summary>
public static class UnknownAttributesAttribute
{
    /// <summary>Reads UNKNOWN-ATTRIBUTES.</summary>
    /// <param name="message">The message.</param>
    /// <param name="types">The list, when the attribute is there and its length is even.</param>
    public static bool TryGetUnknownAttributes(this StunMessage message, out UnknownAttributeList types)
    {
        bool valid = message.TryGetValue(StunAttributeType.UnknownAttributes, out ReadOnlySpan<byte> value) && (value.Length & 1) == 0;
        types = valid ? new UnknownAttributeList(value) : default;
        return valid;
    }

    /// <summary>Adds UNKNOWN-ATTRIBUTES.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="types">The types.</param>
    public static void AddUnknownAttributes(this ref StunMessageBuilder builder, scoped ReadOnlySpan<StunAttributeType> types)
    {
        if (builder.TryReserve(StunAttributeType.UnknownAttributes, types.Length * sizeof(ushort), out Span<byte> value))
        {
            for (int i = 0; i < types.Length; i++)
            {
                BinaryPrimitives.WriteUInt16BigEndian(value[(i * sizeof(ushort))..], (ushort)types[i]);
            }
        }
    }
}
