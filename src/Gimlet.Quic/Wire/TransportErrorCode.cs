namespace Gimlet.Quic.Wire;

/// <summary>
/// The registry of transport errors (RFC 9000 section 20.1). Values from <see cref="CryptoErrorFirst"/> to
/// <see cref="CryptoErrorLast"/> are TLS alerts (RFC 9001 section 4.8).
/// </summary>
internal enum TransportErrorCode : long
{
    /// <summary>The connection is closed without an error.</summary>
    NoError = 0x00,

    /// <summary>The endpoint has an error of its own.</summary>
    InternalError = 0x01,

    /// <summary>The server does not want the connection.</summary>
    ConnectionRefused = 0x02,

    /// <summary>More data than the limits allow.</summary>
    FlowControlError = 0x03,

    /// <summary>A stream beyond the limit.</summary>
    StreamLimitError = 0x04,

    /// <summary>A frame that the stream's state does not permit.</summary>
    StreamStateError = 0x05,

    /// <summary>A stream's final size changed, or is smaller than what came.</summary>
    FinalSizeError = 0x06,

    /// <summary>A frame that is badly formatted, or of an unknown type.</summary>
    FrameEncodingError = 0x07,

    /// <summary>Transport parameters that are badly formatted, wrong, missing or forbidden.</summary>
    TransportParameterError = 0x08,

    /// <summary>More connection ids than active_connection_id_limit.</summary>
    ConnectionIdLimitError = 0x09,

    /// <summary>What no other code says.</summary>
    ProtocolViolation = 0x0a,

    /// <summary>A client's Initial has a token that is not valid.</summary>
    InvalidToken = 0x0b,

    /// <summary>The application closed during the handshake; its own code must not show there.</summary>
    ApplicationError = 0x0c,

    /// <summary>More CRYPTO data than can be buffered.</summary>
    CryptoBufferExceeded = 0x0d,

    /// <summary>A key update against the rules of RFC 9001 section 6.</summary>
    KeyUpdateError = 0x0e,

    /// <summary>The keys were used as often as RFC 9001 section 6.6 permits.</summary>
    AeadLimitReached = 0x0f,

    /// <summary>No path carries QUIC.</summary>
    NoViablePath = 0x10,

    /// <summary>The first of 256 codes: 0x100 plus the TLS alert.</summary>
    CryptoErrorFirst = 0x100,

    /// <summary>The last of the TLS alerts.</summary>
    CryptoErrorLast = 0x1ff,
}
