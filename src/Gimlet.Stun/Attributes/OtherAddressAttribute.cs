using Gimlet.Sockets;

namespace Gimlet.Stun.Attributes;

/// <summary>
/// OTHER-ADDRESS (RFC 5780 section 7.4): where the server would answer from if both address and port were to change; only a server
/// with a second IP address has it.
/// </summary>
public static class OtherAddressAttribute
{
    /// <summary>Reads OTHER-ADDRESS.</summary>
    /// <param name="message">The message.</param>
    /// <param name="address">The address, when the attribute is there and well-formed.</param>
    public static bool TryGetOtherAddress(this StunMessage message, out TransportAddress address)
    {
        address = default;
        return message.TryGetValue(StunAttributeType.OtherAddress, out ReadOnlySpan<byte> value)
            && AddressValue.TryRead(value, out address);
    }

    /// <summary>Adds OTHER-ADDRESS.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="address">The address; not empty.</param>
    public static void AddOtherAddress(this ref StunMessageBuilder builder, TransportAddress address) =>
        AddressValue.Add(ref builder, StunAttributeType.OtherAddress, address);
}
