namespace Gimlet.Stun;

/// <summary>Why bytes are not a STUN message. The order is the order of the tests.</summary>
public enum StunFormatError
{
    /// <summary>The bytes are a well-formed message.</summary>
    None = 0,

    /// <summary>Fewer than the 20 bytes of a header.</summary>
    TooShort,

    /// <summary>The first two bits are not zero (RFC 8489 section 5).</summary>
    NotStun,

    /// <summary>The magic cookie is missing.</summary>
    NoMagicCookie,

    /// <summary>The length in the header is not a multiple of 4 (RFC 8489 section 5).</summary>
    LengthNotAligned,

    /// <summary>The length in the header is not the length of the datagram.</summary>
    LengthMismatch,

    /// <summary>An attribute reaches past the end of the message.</summary>
    AttributeOverrun,
}
