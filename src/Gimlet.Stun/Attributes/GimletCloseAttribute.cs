using System.Buffers.Binary;

namespace Gimlet.Stun.Attributes;

/// <summary>GIMLET-CLOSE (docs/protocol.md section 4): the sender ends the call.</summary>
public static class GimletCloseAttribute
{
    /// <summary>Reads GIMLET-CLOSE.</summary>
    /// <param name="message">The message.</param>
    /// <param name="reason">The reason as a number, when the attribute is there and 4 bytes long.</param>
    public static bool TryGetGimletClose(this StunMessage message, out uint reason)
    {
        bool valid = message.TryGetValue(StunAttributeType.GimletClose, out ReadOnlySpan<byte> value) && value.Length == sizeof(uint);
        reason = valid ? BinaryPrimitives.ReadUInt32BigEndian(value) : 0;
        return valid;
    }

    /// <summary>Adds GIMLET-CLOSE.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="reason">The reason as a number.</param>
    public static void AddGimletClose(this ref StunMessageBuilder builder, uint reason) =>
        builder.Add(StunAttributeType.GimletClose, reason);
}
