namespace Gimlet.Stun;

/// <summary>What a message is within its transaction: the two class bits of the message type (RFC 8489 section 5).</summary>
public enum StunClass : byte
{
    /// <summary>A request: the sender waits for a response.</summary>
    Request = 0b00,

    /// <summary>An indication: nobody answers it.</summary>
    Indication = 0b01,

    /// <summary>A success response.</summary>
    Success = 0b10,

    /// <summary>An error response; it carries ERROR-CODE.</summary>
    Error = 0b11,
}
