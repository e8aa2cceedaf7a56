using Gimlet.Sockets;

namespace Gimlet.Stun.Attributes;

/// <summary>XOR-MAPPED-ADDRESS (RFC 8489 section 14.2): the address that the server saw, masked so that no NAT rewrites it.</summary>
public static class XorMappedAddressAttribute
{
    /// <summary>Reads XOR-MAPPED-ADDRESS.</summary>
    /// <param name="message">The message.</param>
    /// <param name="address">The address, when the attribute is there and well-formed.</param>
    public static bool TryGetXorMappedAddress(this StunMessage message, out TransportAddress address)
    {
        address = default;
        return message.TryGetValue(StunAttributeType.XorMappedAddress, out ReadOnlySpan<byte> value)
            && AddressValue.TryReadXor(value, message.Bytes, out address);
    }

    /// <summary>Adds XOR-MAPPED-ADDRESS.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="address">The address; not empty.</param>
    public static void AddXorMappedAddress(this ref StunMessageBuilder builder, TransportAddress address) =>
        AddressValue.AddXor(ref builder, StunAttributeType.XorMappedAddress, address);
}
