namespace Gimlet.Stun;

/// <summary>The method of a message: the twelve method bits of its type, as registered with IANA ("STUN Methods").</summary>
public enum StunMethod : ushort
{
    /// <summary>Binding: what is my address? (RFC 8489 section 3)</summary>
    Binding = 0x001,

    /// <summary>Reserved; was SharedSecret (RFC 3489 section 9.3).</summary>
    SharedSecret = 0x002,

    /// <summary>Allocate (RFC 8656 section 7).</summary>
    Allocate = 0x003,

    /// <summary>Refresh (RFC 8656 section 8).</summary>
    Refresh = 0x004,

    /// <summary>Send indication (RFC 8656 section 11).</summary>
    Send = 0x006,

    /// <summary>Data indication (RFC 8656 section 11).</summary>
    Data = 0x007,

    /// <summary>CreatePermission (RFC 8656 section 10).</summary>
    CreatePermission = 0x008,

    /// <summary>ChannelBind (RFC 8656 section 12).</summary>
    ChannelBind = 0x009,

    /// <summary>Connect (RFC 6062 section 6.1).</summary>
    Connect = 0x00A,

    /// <summary>ConnectionBind (RFC 6062 section 6.1).</summary>
    ConnectionBind = 0x00B,

    /// <summary>ConnectionAttempt indication (RFC 6062 section 6.1).</summary>
    ConnectionAttempt = 0x00C,
}
