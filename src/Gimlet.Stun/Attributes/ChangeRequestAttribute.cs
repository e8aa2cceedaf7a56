using System.Buffers.Binary;

namespace Gimlet.Stun.Attributes;

/// <summary>What CHANGE-REQUEST asks for (RFC 5780 section 7.2): an answer that leaves from elsewhere.</summary>
[Flags]
public enum ChangeRequest
{
    /// <summary>Answer from where the request came to.</summary>
    None = 0,

    /// <summary>Answer from the other port.</summary>
    ChangePort = 0x2,

    /// <summary>Answer from the other IP address.</summary>
    ChangeAddress = 0x4,
}

/// <summary>Reads and writes <see cref="ChangeRequest"/>.</summary>
public static class ChangeRequestAttribute
{
    private const uint Known = (uint)(ChangeRequest.ChangePort | ChangeRequest.ChangeAddress);

    /// <summary>Reads CHANGE-REQUEST.</summary>
    /// <param name="message">The message.</param>
    /// <param name="change">What is asked for, when the attribute is there and 4 bytes long; unknown bits are ignored.</param>
    public static bool TryGetChangeRequest(this StunMessage message, out ChangeRequest change)
    {
        bool valid = message.TryGetValue(StunAttributeType.ChangeRequest, out ReadOnlySpan<byte> value) && value.Length == sizeof(uint);
        change = valid ? (ChangeRequest)(BinaryPrimitives.ReadUInt32BigEndian(value) & Known) : ChangeRequest.None;
        return valid;
    }

    /// <summary>Adds CHANGE-REQUEST.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="change">What is asked for.</param>
    public static void AddChangeRequest(this ref StunMessageBuilder builder, ChangeRequest change) =>
        builder.Add(StunAttributeType.ChangeRequest, (uint)change & Known);
}
