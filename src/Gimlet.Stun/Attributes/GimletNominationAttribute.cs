using System.Buffers.Binary;

namespace Gimlet.Stun.Attributes;

/// <summary>
/// GIMLET-NOMINATION (docs/protocol.md section 4): with USE-CANDIDATE: a number that only grows within a call; a smaller or equal
/// one is stale.
/// </summary>
public static class GimletNominationAttribute
{
    /// <summary>Reads GIMLET-NOMINATION.</summary>
    /// <param name="message">The message.</param>
    /// <param name="number">The number of the nomination, when the attribute is there and 4 bytes long.</param>
    public static bool TryGetGimletNomination(this StunMessage message, out uint number)
    {
        bool valid = message.TryGetValue(StunAttributeType.GimletNomination, out ReadOnlySpan<byte> value) && value.Length == sizeof(uint);
        number = valid ? BinaryPrimitives.ReadUInt32BigEndian(value) : 0;
        return valid;
    }

    /// <summary>Adds GIMLET-NOMINATION.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="number">The number of the nomination.</param>
    public static void AddGimletNomination(this ref StunMessageBuilder builder, uint number) =>
        builder.Add(StunAttributeType.GimletNomination, number);
}
