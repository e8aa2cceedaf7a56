using Gimlet.Sockets;

namespace Gimlet.Stun.Attributes;

/// <summary>ALTERNATE-SERVER (RFC 8489 section 14.15): another server to ask, with error 300.</summary>
public static class AlternateServerAttribute
{
    /// <summary>Reads ALTERNATE-SERVER.</summary>
    /// <param name="message">The message.</param>
    /// <param name="address">The address, when the attribute is there and well-formed.</param>
    public static bool TryGetAlternateServer(this StunMessage message, out TransportAddress address)
    {
        address = default;
        return message.TryGetValue(StunAttributeType.AlternateServer, out ReadOnlySpan<byte> value)
            && AddressValue.TryRead(value, out address);
    }

    /// <summary>Adds ALTERNATE-SERVER.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="address">The address; not empty.</param>
    public static void AddAlternateServer(this ref StunMessageBuilder builder, TransportAddress address) =>
        AddressValue.Add(ref builder, StunAttributeType.AlternateServer, address);
}
