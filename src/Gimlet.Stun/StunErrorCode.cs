namespace Gimlet.Stun;

/// <summary>
/// The codes of ERROR-CODE as registered with IANA ("STUN Error Codes"). A received code may be any number from 300 to 699.
/// </summary>
public enum StunErrorCode : ushort
{
    /// <summary>Ask the server in ALTERNATE-SERVER instead (RFC 8489 section 14.8).</summary>
    TryAlternate = 300,

    /// <summary>The request was malformed (RFC 8489 section 14.8).</summary>
    BadRequest = 400,

    /// <summary>The request lacks valid credentials (RFC 8489 section 14.8).</summary>
    Unauthenticated = 401,

    /// <summary>The request was valid and is not allowed (RFC 8656 section 19).</summary>
    Forbidden = 403,

    /// <summary>Mobility is not allowed (RFC 8016 section 3.5).</summary>
    MobilityForbidden = 405,

    /// <summary>A comprehension-required attribute was not understood; UNKNOWN-ATTRIBUTES lists it (RFC 8489 section 14.8).</summary>
    UnknownAttribute = 420,

    /// <summary>The allocation does not exist or exists already (RFC 8656 section 19).</summary>
    AllocationMismatch = 437,

    /// <summary>The nonce is no longer valid (RFC 8489 section 14.8).</summary>
    StaleNonce = 438,

    /// <summary>The address family is not supported (RFC 8656 section 19).</summary>
    AddressFamilyNotSupported = 440,

    /// <summary>The credentials are not those of the allocation (RFC 8656 section 19).</summary>
    WrongCredentials = 441,

    /// <summary>The transport protocol is not supported (RFC 8656 section 19).</summary>
    UnsupportedTransportProtocol = 442,

    /// <summary>The peer's address is of another family than the allocation (RFC 8656 section 19).</summary>
    PeerAddressFamilyMismatch = 443,

    /// <summary>The connection exists already (RFC 6062 section 6.3).</summary>
    ConnectionAlreadyExists = 446,

    /// <summary>The connection timed out or failed (RFC 6062 section 6.3).</summary>
    ConnectionTimeoutOrFailure = 447,

    /// <summary>The user's allocations are used up (RFC 8656 section 19).</summary>
    AllocationQuotaReached = 486,

    /// <summary>Both agents took the same ICE role (RFC 8445 section 7.3.1.1).</summary>
    RoleConflict = 487,

    /// <summary>The server suffered a temporary error (RFC 8489 section 14.8).</summary>
    ServerError = 500,

    /// <summary>The server is out of capacity (RFC 8656 section 19).</summary>
    InsufficientCapacity = 508,
}
