using System.Buffers.Binary;

namespace Gimlet.Stun.Attributes;

/// <summary>ICE-CONTROLLING (RFC 8445 section 7.1.3): the sender believes it is the controlling agent.</summary>
public static class IceControllingAttribute
{
    /// <summary>Reads ICE-CONTROLLING.</summary>
    /// <param name="message">The message.</param>
    /// <param name="tieBreaker">The number that settles a conflict of roles, when the attribute is there and 8 bytes long.</param>
    public static bool TryGetIceControlling(this StunMessage message, out ulong tieBreaker)
    {
        bool valid = message.TryGetValue(StunAttributeType.IceControlling, out ReadOnlySpan<byte> value) && value.Length == sizeof(ulong);
        tieBreaker = valid ? BinaryPrimitives.ReadUInt64BigEndian(value) : 0;
        return valid;
    }

    /// <summary>Adds ICE-CONTROLLING.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="tieBreaker">The number that settles a conflict of roles.</param>
    public static void AddIceControlling(this ref StunMessageBuilder builder, ulong tieBreaker) =>
        builder.Add(StunAttributeType.IceControlling, tieBreaker);
}
