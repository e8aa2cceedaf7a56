using Gimlet.Sockets;

namespace Gimlet.Stun.Attributes;

/// <summary>
/// CHANGED-ADDRESS (RFC 3489 section 11.2.3): where an RFC 3489 server would answer from if both address and port were to change.
/// </summary>
public static class ChangedAddressAttribute
{
    /// <summary>Reads CHANGED-ADDRESS.</summary>
    /// <param name="message">The message.</param>
    /// <param name="address">The address, when the attribute is there and well-formed.</param>
    public static bool TryGetChangedAddress(this StunMessage message, out TransportAddress address)
    {
        address = default;
        return message.TryGetValue(StunAttributeType.ChangedAddress, out ReadOnlySpan<byte> value)
            && AddressValue.TryRead(value, out address);
    }

    /// <summary>Adds CHANGED-ADDRESS.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="address">The address; not empty.</param>
    public static void AddChangedAddress(this ref StunMessageBuilder builder, TransportAddress address) =>
        AddressValue.Add(ref builder, StunAttributeType.ChangedAddress, address);
}
