namespace Gimlet.Quic.Trace;

/// <summary>The steps of a connection's life, as qlog names them.</summary>
internal enum TraceState
{
    /// <summary>The first Initial was sent or received.</summary>
    Attempted,

    /// <summary>The peer's address is validated, so that the handshake may take its course.</summary>
    PeerValidated,

    /// <summary>The first packet of the handshake came back.</summary>
    HandshakeStarted,

    /// <summary>Both Finished are there.</summary>
    HandshakeComplete,

    /// <summary>RFC 9001 section 4.1.2.</summary>
    HandshakeConfirmed,

    /// <summary>RFC 9000 section 10.2.1.</summary>
    Closing,

    /// <summary>RFC 9000 section 10.2.2.</summary>
    Draining,

    /// <summary>Nothing is left.</summary>
    Closed,
}

/// <summary>Why a packet was thrown away.</summary>
internal enum PacketDropReason
{
    /// <summary>The header cannot be read.</summary>
    HeaderInvalid,

    /// <summary>Keys for it are not there yet, or not any more.</summary>
    KeyUnavailable,

    /// <summary>It does not authenticate.</summary>
    DecryptionFailure,

    /// <summary>It came before.</summary>
    Duplicate,

    /// <summary>The connection does not want it now.</summary>
    Unexpected,

    /// <summary>Its version is not the connection's.</summary>
    UnsupportedVersion,

    /// <summary>It is shorter than it may be.</summary>
    TooSmall,

    /// <summary>It came a way that is not used.</summary>
    UnknownPath,

    /// <summary>Too many wait already.</summary>
    BufferFull,
}

/// <summary>Why a packet is taken as lost (RFC 9002 section 6.1).</summary>
internal enum PacketLossReason
{
    /// <summary>Three packets that were sent later are acknowledged.</summary>
    ReorderingThreshold,

    /// <summary>It was sent too long ago.</summary>
    TimeThreshold,

    /// <summary>Its path is gone.</summary>
    PathRemoved,
}

/// <summary>Why keys changed.</summary>
internal enum KeyUpdateTrigger
{
    /// <summary>The handshake made them.</summary>
    Tls,

    /// <summary>We began an update.</summary>
    LocalUpdate,

    /// <summary>The peer did.</summary>
    RemoteUpdate,
}

/// <summary>What became of a path.</summary>
internal enum TracePathState
{
    /// <summary>A validation began.</summary>
    ProbingStarted,

    /// <summary>The peer answered there.</summary>
    ProbingSuccessful,

    /// <summary>It did not, or is not of interest any more.</summary>
    ProbingAbandoned,

    /// <summary>We send there from now on.</summary>
    MigrationComplete,
}
