using System.Buffers.Binary;

namespace Gimlet.Stun.Attributes;

/// <summary>GIMLET-PING (docs/protocol.md section 4): the check is the application's round trip with this sequence number.</summary>
public static class GimletPingAttribute
{
    /// <summary>Reads GIMLET-PING.</summary>
    /// <param name="message">The message.</param>
    /// <param name="sequence">The sequence number, when the attribute is there and 4 bytes long.</param>
    public static bool TryGetGimletPing(this StunMessage message, out uint sequence)
    {
        bool valid = message.TryGetValue(StunAttributeType.GimletPing, out ReadOnlySpan<byte> value) && value.Length == sizeof(uint);
        sequence = valid ? BinaryPrimitives.ReadUInt32BigEndian(value) : 0;
        return valid;
    }

    /// <summary>Adds GIMLET-PING.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="sequence">The sequence number.</param>
    public static void AddGimletPing(this ref StunMessageBuilder builder, uint sequence) =>
        builder.Add(StunAttributeType.GimletPing, sequence);
}
