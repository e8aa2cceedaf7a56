using Gimlet.Sockets;

namespace Gimlet.Stun.Attributes;

/// <summary>RESPONSE-ORIGIN (RFC 5780 section 7.3): where the server sent its answer from.</summary>
public static class ResponseOriginAttribute
{
    /// <summary>Reads RESPONSE-ORIGIN.</summary>
    /// <param name="message">The message.</param>
    /// <param name="address">The address, when the attribute is there and well-formed.</param>
    public static bool TryGetResponseOrigin(this StunMessage message, out TransportAddress address)
    {
        address = default;
        return message.TryGetValue(StunAttributeType.ResponseOrigin, out ReadOnlySpan<byte> value)
            && AddressValue.TryRead(value, out address);
    }

    /// <summary>Adds RESPONSE-ORIGIN.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="address">The address; not empty.</param>
    public static void AddResponseOrigin(this ref StunMessageBuilder builder, TransportAddress address) =>
        AddressValue.Add(ref builder, StunAttributeType.ResponseOrigin, address);
}
