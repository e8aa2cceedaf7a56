using System.Buffers.Binary;

namespace Gimlet.Stun.Attributes;

/// <summary>PRIORITY (RFC 8445 section 7.1.1): the priority that a peer-reflexive candidate learned from this check would have.</summary>
public static class PriorityAttribute
{
    /// <summary>Reads PRIORITY.</summary>
    /// <param name="message">The message.</param>
    /// <param name="priority">The priority, when the attribute is there and 4 bytes long.</param>
    public static bool TryGetPriority(this StunMessage message, out uint priority)
    {
        bool valid = message.TryGetValue(StunAttributeType.Priority, out ReadOnlySpan<byte> value) && value.Length == sizeof(uint);
        priority = valid ? BinaryPrimitives.ReadUInt32BigEndian(value) : 0;
        return valid;
    }

    /// <summary>Adds PRIORITY.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="priority">The priority.</param>
    public static void AddPriority(this ref StunMessageBuilder builder, uint priority) =>
        builder.Add(StunAttributeType.Priority, priority);
}
