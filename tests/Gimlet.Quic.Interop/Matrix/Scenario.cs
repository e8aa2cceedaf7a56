namespace Gimlet.Quic.Interop.Matrix;

/// <summary>A QUIC by others.</summary>
public enum Foreign
{
    /// <summary>quic-go 0.29.</summary>
    QuicGo,

    /// <summary>quinn 0.9.3.</summary>
    Quinn,

    /// <summary>ngtcp2 0.12.1.</summary>
    Ngtcp2,
}

/// <summary>Which side the foreign peer is; ours is the other one.</summary>
public enum Role
{
    /// <summary>The foreign peer dials.</summary>
    Client,

    /// <summary>The foreign peer serves.</summary>
    Server,
}

/// <summary>What is tried with every peer in both roles. <see cref="InteropMatrix"/> has the cells.</summary>
public enum Scenario
{
    /// <summary>Both sides show a certificate and see the other's.</summary>
    MutualHandshake,

    /// <summary>A client that shows nothing is refused, and a certificate that the decision refuses is.</summary>
    RefusedCertificate,

    /// <summary>A protocol that the server does not have: the alert no_application_protocol.</summary>
    NoApplicationProtocol,

    /// <summary>The server asks for another key share.</summary>
    HelloRetryRequest,

    /// <summary>TLS_AES_256_GCM_SHA384 and nothing else.</summary>
    Aes256,

    /// <summary>The server sends a Retry.</summary>
    Retry,

    /// <summary>The client's version is not one that the server has, or a Version Negotiation packet must be ignored.</summary>
    VersionNegotiation,

    /// <summary>Several connections one after the other: session tickets and tokens do no harm.</summary>
    ConnectAgain,

    /// <summary>100 MB from the server to the client.</summary>
    LargeDownload,

    /// <summary>Bytes from the client to the server, and back, and on streams that the server opens.</summary>
    Transfers,

    /// <summary>More streams than the server allows at once.</summary>
    ManyStreams,

    /// <summary>Streams of one direction.</summary>
    OneWayStreams,

    /// <summary>Windows of a few packets on both sides.</summary>
    SmallWindows,

    /// <summary>Datagrams both ways (RFC 9221).</summary>
    Datagrams,

    /// <summary>The foreign peer updates its keys.</summary>
    KeyUpdateByThem,

    /// <summary>We update our keys.</summary>
    KeyUpdateByUs,

    /// <summary>The client's NAT gives it another port, and neither side is told.</summary>
    Rebind,

    /// <summary>The client validates another path and moves there.</summary>
    Migration,

    /// <summary>One datagram in a hundred is lost, both ways.</summary>
    LossOf1Percent,

    /// <summary>One datagram in twenty is lost, both ways.</summary>
    LossOf5Percent,

    /// <summary>RESET_STREAM with a code that the other side sees.</summary>
    ResetCode,

    /// <summary>STOP_SENDING with a code that the other side sees.</summary>
    StopCode,

    /// <summary>The server closes with a code that the client sees.</summary>
    CloseByServer,

    /// <summary>The client closes with a code that the server sees.</summary>
    CloseByClient,

    /// <summary>Nothing comes for the idle timeout.</summary>
    IdleTimeout,

    /// <summary>The server is another process with the same key, and resets what it does not know.</summary>
    StatelessReset,

    /// <summary>tshark decodes every packet of a transfer with the key log.</summary>
    Dissection,
}
