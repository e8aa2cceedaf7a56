using Gimlet.Sockets;

namespace Gimlet.Stun.Attributes;

/// <summary>SOURCE-ADDRESS (RFC 3489 section 11.2.5): where an RFC 3489 server sent its answer from.</summary>
public static class SourceAddressAttribute
{
    /// <summary>Reads SOURCE-ADDRESS.</summary>
    /// <param name="message">The message.</param>
    /// <param name="address">The address, when the attribute is there and well-formed.</param>
    public static bool TryGetSourceAddress(this StunMessage message, out TransportAddress address)
    {
        address = default;
        return message.TryGetValue(StunAttributeType.SourceAddress, out ReadOnlySpan<byte> value)
            && AddressValue.TryRead(value, out address);
    }

    /// <summary>Adds SOURCE-ADDRESS.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="address">The address; not empty.</param>
    public static void AddSourceAddress(this ref StunMessageBuilder builder, TransportAddress address) =>
        AddressValue.Add(ref builder, StunAttributeType.SourceAddress, address);
}
