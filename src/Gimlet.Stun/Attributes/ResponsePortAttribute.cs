using System.Buffers.Binary;

namespace Gimlet.Stun.Attributes;

/// <summary>RESPONSE-PORT (RFC 5780 section 7.5): the answer shall go to this port of the sender's address.</summary>
public static class ResponsePortAttribute
{
    // "a 16-bit unsigned integer in network byte order followed by 2 bytes of padding": senders disagree whether the length counts them.
    private const int ShortLength = 2;
    private const int LongLength = 4;

    /// <summary>Reads RESPONSE-PORT.</summary>
    /// <param name="message">The message.</param>
    /// <param name="port">The port, 1 to 65535, when the attribute is there and well-formed.</param>
    public static bool TryGetResponsePort(this StunMessage message, out int port)
    {
        bool valid = message.TryGetValue(StunAttributeType.ResponsePort, out ReadOnlySpan<byte> value)
            && value.Length is ShortLength or LongLength;
        port = valid ? BinaryPrimitives.ReadUInt16BigEndian(value) : 0;
        return port != 0;
    }

    /// <summary>Adds RESPONSE-PORT.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="port">The port, 1 to 65535.</param>
    public static void AddResponsePort(this ref StunMessageBuilder builder, int port)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, ushort.MaxValue);
        builder.Add(StunAttributeType.ResponsePort, (uint)port << 16);
    }
}
