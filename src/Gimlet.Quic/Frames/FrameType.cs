namespace Gimlet.Quic.Frames;

/// <summary>The frames (RFC 9000 section 19, RFC 9221 section 4). Where bits of the type are flags, the members with flags have names too.</summary>
internal enum FrameType : long
{
    /// <summary>Also "no frame" or "unknown" where an error names its frame.</summary>
    Padding = 0x00,
    Ping = 0x01,
    Ack = 0x02,
    AckEcn = 0x03,
    ResetStream = 0x04,
    StopSending = 0x05,
    Crypto = 0x06,
    NewToken = 0x07,

    /// <summary>0x08 to 0x0f: with the flags of <c>StreamFrame</c>.</summary>
    Stream = 0x08,

    /// <summary>STREAM with all its flags.</summary>
    StreamLast = 0x0f,
    MaxData = 0x10,
    MaxStreamData = 0x11,
    MaxStreamsBidirectional = 0x12,
    MaxStreamsUnidirectional = 0x13,
    DataBlocked = 0x14,
    StreamDataBlocked = 0x15,
    StreamsBlockedBidirectional = 0x16,
    StreamsBlockedUnidirectional = 0x17,
    NewConnectionId = 0x18,
    RetireConnectionId = 0x19,
    PathChallenge = 0x1a,
    PathResponse = 0x1b,

    /// <summary>CONNECTION_CLOSE for an error of QUIC, or none.</summary>
    ConnectionClose = 0x1c,

    /// <summary>CONNECTION_CLOSE for an error of the application.</summary>
    ApplicationClose = 0x1d,
    HandshakeDone = 0x1e,

    /// <summary>DATAGRAM that fills the rest of its packet.</summary>
    Datagram = 0x30,

    /// <summary>DATAGRAM with a Length field.</summary>
    DatagramWithLength = 0x31,
}
