namespace Gimlet.Stun;

/// <summary>
/// The type of an attribute: IANA's registry "STUN Attributes", the types that RFC 3489 defined and later RFCs reserve, and
/// Gimlet's own (<c>docs/protocol.md</c> section 4). A received type may be any 16-bit number.
/// </summary>
public enum StunAttributeType : ushort
{
    /// <summary>MAPPED-ADDRESS (RFC 8489 section 14.1).</summary>
    MappedAddress = 0x0001,

    /// <summary>Reserved; was RESPONSE-ADDRESS: let anyone choose where an answer goes (RFC 3489 section 11.2.2).</summary>
    ResponseAddress = 0x0002,

    /// <summary>CHANGE-REQUEST (RFC 5780 section 7.2).</summary>
    ChangeRequest = 0x0003,

    /// <summary>Reserved; was SOURCE-ADDRESS (RFC 3489 section 11.2.5).</summary>
    SourceAddress = 0x0004,

    /// <summary>Reserved; was CHANGED-ADDRESS (RFC 3489 section 11.2.3).</summary>
    ChangedAddress = 0x0005,

    /// <summary>USERNAME (RFC 8489 section 14.3).</summary>
    Username = 0x0006,

    /// <summary>Reserved; was PASSWORD (RFC 3489 section 11.2.7).</summary>
    Password = 0x0007,

    /// <summary>MESSAGE-INTEGRITY (RFC 8489 section 14.5).</summary>
    MessageIntegrity = 0x0008,

    /// <summary>ERROR-CODE (RFC 8489 section 14.8).</summary>
    ErrorCode = 0x0009,

    /// <summary>UNKNOWN-ATTRIBUTES (RFC 8489 section 14.13).</summary>
    UnknownAttributes = 0x000A,

    /// <summary>Reserved; was REFLECTED-FROM (RFC 3489 section 11.2.11).</summary>
    ReflectedFrom = 0x000B,

    /// <summary>CHANNEL-NUMBER (RFC 8656 section 18.1).</summary>
    ChannelNumber = 0x000C,

    /// <summary>LIFETIME (RFC 8656 section 18.2).</summary>
    Lifetime = 0x000D,

    /// <summary>XOR-PEER-ADDRESS (RFC 8656 section 18.3).</summary>
    XorPeerAddress = 0x0012,

    /// <summary>DATA (RFC 8656 section 18.4).</summary>
    Data = 0x0013,

    /// <summary>REALM (RFC 8489 section 14.9).</summary>
    Realm = 0x0014,

    /// <summary>NONCE (RFC 8489 section 14.10).</summary>
    Nonce = 0x0015,

    /// <summary>XOR-RELAYED-ADDRESS (RFC 8656 section 18.5).</summary>
    XorRelayedAddress = 0x0016,

    /// <summary>REQUESTED-ADDRESS-FAMILY (RFC 8656 section 18.6).</summary>
    RequestedAddressFamily = 0x0017,

    /// <summary>EVEN-PORT (RFC 8656 section 18.7).</summary>
    EvenPort = 0x0018,

    /// <summary>REQUESTED-TRANSPORT (RFC 8656 section 18.8).</summary>
    RequestedTransport = 0x0019,

    /// <summary>DONT-FRAGMENT (RFC 8656 section 18.9).</summary>
    DontFragment = 0x001A,

    /// <summary>ACCESS-TOKEN (RFC 7635 section 6.2).</summary>
    AccessToken = 0x001B,

    /// <summary>MESSAGE-INTEGRITY-SHA256 (RFC 8489 section 14.6).</summary>
    MessageIntegritySha256 = 0x001C,

    /// <summary>PASSWORD-ALGORITHM (RFC 8489 section 14.12).</summary>
    PasswordAlgorithm = 0x001D,

    /// <summary>USERHASH (RFC 8489 section 14.4).</summary>
    UserHash = 0x001E,

    /// <summary>XOR-MAPPED-ADDRESS (RFC 8489 section 14.2).</summary>
    XorMappedAddress = 0x0020,

    /// <summary>RESERVATION-TOKEN (RFC 8656 section 18.10).</summary>
    ReservationToken = 0x0022,

    /// <summary>PRIORITY (RFC 8445 section 7.1.1).</summary>
    Priority = 0x0024,

    /// <summary>USE-CANDIDATE (RFC 8445 section 7.1.2).</summary>
    UseCandidate = 0x0025,

    /// <summary>PADDING (RFC 5780 section 7.6).</summary>
    Padding = 0x0026,

    /// <summary>RESPONSE-PORT (RFC 5780 section 7.5).</summary>
    ResponsePort = 0x0027,

    /// <summary>CONNECTION-ID (RFC 6062 section 6.2.1).</summary>
    ConnectionId = 0x002A,

    /// <summary>ADDITIONAL-ADDRESS-FAMILY (RFC 8656 section 18.11).</summary>
    AdditionalAddressFamily = 0x8000,

    /// <summary>ADDRESS-ERROR-CODE (RFC 8656 section 18.12).</summary>
    AddressErrorCode = 0x8001,

    /// <summary>PASSWORD-ALGORITHMS (RFC 8489 section 14.11).</summary>
    PasswordAlgorithms = 0x8002,

    /// <summary>ALTERNATE-DOMAIN (RFC 8489 section 14.16).</summary>
    AlternateDomain = 0x8003,

    /// <summary>ICMP (RFC 8656 section 18.13).</summary>
    Icmp = 0x8004,

    /// <summary>SOFTWARE (RFC 8489 section 14.14).</summary>
    Software = 0x8022,

    /// <summary>ALTERNATE-SERVER (RFC 8489 section 14.15).</summary>
    AlternateServer = 0x8023,

    /// <summary>TRANSACTION_TRANSMIT_COUNTER (RFC 7982 section 3).</summary>
    TransactionTransmitCounter = 0x8025,

    /// <summary>CACHE-TIMEOUT (registered by RFC 5780, which does not define it).</summary>
    CacheTimeout = 0x8027,

    /// <summary>FINGERPRINT (RFC 8489 section 14.7).</summary>
    Fingerprint = 0x8028,

    /// <summary>ICE-CONTROLLED (RFC 8445 section 7.1.3).</summary>
    IceControlled = 0x8029,

    /// <summary>ICE-CONTROLLING (RFC 8445 section 7.1.3).</summary>
    IceControlling = 0x802A,

    /// <summary>RESPONSE-ORIGIN (RFC 5780 section 7.3).</summary>
    ResponseOrigin = 0x802B,

    /// <summary>OTHER-ADDRESS (RFC 5780 section 7.4).</summary>
    OtherAddress = 0x802C,

    /// <summary>ECN-CHECK STUN (RFC 6679 section 7.2.2).</summary>
    EcnCheck = 0x802D,

    /// <summary>THIRD-PARTY-AUTHORIZATION (RFC 7635 section 6.1).</summary>
    ThirdPartyAuthorization = 0x802E,

    /// <summary>MOBILITY-TICKET (RFC 8016 section 3.1).</summary>
    MobilityTicket = 0x8030,

    /// <summary>GIMLET-OBSERVE: please prove what you see (private to Gimlet).</summary>
    GimletObserve = 0xC6A0,

    /// <summary>GIMLET-PROOF: the proof (private to Gimlet).</summary>
    GimletProof = 0xC6A1,

    /// <summary>GIMLET-HELLO: identity and pre-key of a serverless call (private to Gimlet).</summary>
    GimletHello = 0xC6A2,

    /// <summary>GIMLET-NOMINATION: the number of a nomination (private to Gimlet).</summary>
    GimletNomination = 0xC6A3,

    /// <summary>GIMLET-PING: the number of an application round trip (private to Gimlet).</summary>
    GimletPing = 0xC6A4,

    /// <summary>GIMLET-CLOSE: the sender ends the call (private to Gimlet).</summary>
    GimletClose = 0xC6A5,
}

/// <summary>What the number of an attribute type says about it.</summary>
public static class StunAttributeTypeExtensions
{
    /// <summary>
    /// True for 0x0000 to 0x7FFF: a receiver that does not understand the attribute must not process the message, and answers a
    /// request with error 420 (RFC 8489 section 14).
    /// </summary>
    /// <param name="type">The type.</param>
    public static bool IsComprehensionRequired(this StunAttributeType type) => (ushort)type < 0x8000;
}
