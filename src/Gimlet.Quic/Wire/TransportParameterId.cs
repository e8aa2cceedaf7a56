namespace Gimlet.Quic.Wire;

/// <summary>The transport parameters that this code knows (RFC 9000 section 18.2 and extensions).</summary>
internal enum TransportParameterId : long
{
    OriginalDestinationConnectionId = 0x00,
    MaxIdleTimeout = 0x01,
    StatelessResetToken = 0x02,
    MaxUdpPayloadSize = 0x03,
    InitialMaxData = 0x04,
    InitialMaxStreamDataBidirectionalLocal = 0x05,
    InitialMaxStreamDataBidirectionalRemote = 0x06,
    InitialMaxStreamDataUnidirectional = 0x07,
    InitialMaxStreamsBidirectional = 0x08,
    InitialMaxStreamsUnidirectional = 0x09,
    AckDelayExponent = 0x0a,
    MaxAckDelay = 0x0b,
    DisableActiveMigration = 0x0c,
    PreferredAddress = 0x0d,
    ActiveConnectionIdLimit = 0x0e,
    InitialSourceConnectionId = 0x0f,
    RetrySourceConnectionId = 0x10,

    /// <summary>RFC 9221 section 3.</summary>
    MaxDatagramFrameSize = 0x20,

    /// <summary>RFC 9287 section 3. Read, never sent: the Fixed Bit tells QUIC from STUN on our sockets.</summary>
    GreaseQuicBit = 0x2ab2,

    /// <summary>
    /// Gimlet's path rules, <c>docs/protocol.md</c> section 5: the bytes of "gimlet", which no other registration is likely to pick.
    /// </summary>
    GimletPaths = 0x6769_6d6c_6574,
}

/// <summary>What can be told of a parameter by its id.</summary>
internal static class TransportParameterIds
{
    // RFC 9000 section 18.1: "Transport parameters with an identifier of the form 31 * N + 27 for integer values of N are reserved to
    // exercise the requirement that unknown transport parameters be ignored."
    private const int ReservedFactor = 31;
    private const int ReservedOffset = 27;

    public static bool IsReserved(long id) => id % ReservedFactor == ReservedOffset;

    /// <summary>Makes a reserved id of at most four bytes.</summary>
    /// <param name="n">Any number; its lowest 24 bits count.</param>
    public static long Reserved(uint n) => (ReservedFactor * (long)(n & 0xff_ffff)) + ReservedOffset;

    /// <summary>
    /// RFC 9000 section 18.2: "A client MUST NOT include any server-only transport parameter: original_destination_connection_id,
    /// preferred_address, retry_source_connection_id, or stateless_reset_token."
    /// </summary>
    public static bool IsServerOnly(this TransportParameterId id) => id
        is TransportParameterId.OriginalDestinationConnectionId
        or TransportParameterId.PreferredAddress
        or TransportParameterId.RetrySourceConnectionId
        or TransportParameterId.StatelessResetToken;
}
