using Gimlet.Sockets;

namespace Gimlet.Stun.Attributes;

/// <summary>
/// MAPPED-ADDRESS (RFC 8489 section 14.1): the address that the server saw, in plain bytes, which some NATs rewrite. Only RFC 3489
/// clients get it.
/// </summary>
public static class MappedAddressAttribute
{
    /// <summary>Reads MAPPED-ADDRESS.</summary>
    /// <param name="message">The message.</param>
    /// <param name="address">The address, when the attribute is there and well-formed.</param>
    public static bool TryGetMappedAddress(this StunMessage message, out TransportAddress address)
    {
        address = default;
        return message.TryGetValue(StunAttributeType.MappedAddress, out ReadOnlySpan<byte> value)
            && AddressValue.TryRead(value, out address);
    }

    /// <summary>Adds MAPPED-ADDRESS.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="address">The address; not empty.</param>
    public static void AddMappedAddress(this ref StunMessageBuilder builder, TransportAddress address) =>
        AddressValue.Add(ref builder, StunAttributeType.MappedAddress, address);
}
