namespace Gimlet.Quic;

/// <summary>
/// What went wrong, for programs. Each kind has a stable string (<see cref="QuicErrorKindExtensions.ToKindString"/>). The names are those of
/// System.Net.Quic where it has one.
/// </summary>
public enum QuicErrorKind
{
    /// <summary>
    /// The peer's application closed the connection; its code is in <see cref="QuicException.ApplicationErrorCode"/>. <c>connection-aborted</c>
    /// </summary>
    ConnectionAborted,

    /// <summary>
    /// The peer's application aborted the stream, or no longer reads it; its code is in <see cref="QuicException.ApplicationErrorCode"/>.
    /// <c>stream-aborted</c>
    /// </summary>
    StreamAborted,

    /// <summary>This side closed the connection, aborted the stream or disposed of either. <c>operation-aborted</c></summary>
    OperationAborted,

    /// <summary>The handshake took longer than permitted: nobody answers, or not as QUIC. <c>connection-timeout</c></summary>
    ConnectionTimeout,

    /// <summary>Nothing came from the peer for the idle timeout. <c>connection-idle</c></summary>
    ConnectionIdle,

    /// <summary>The server does not want the connection: it is full, or nobody listens. <c>connection-refused</c></summary>
    ConnectionRefused,

    /// <summary>One side did not accept the other's certificate, or TLS failed. <c>authentication-failed</c></summary>
    AuthenticationFailed,

    /// <summary>The two have no application protocol in common. <c>no-application-protocol</c></summary>
    NoApplicationProtocol,

    /// <summary>The server speaks no version of QUIC that we do. <c>version-negotiation</c></summary>
    VersionNegotiation,

    /// <summary>The peer has forgotten the connection, for example because it was started again. <c>stateless-reset</c></summary>
    StatelessReset,

    /// <summary>One side broke a rule of QUIC; the code is in <see cref="QuicException.TransportErrorCode"/>. <c>transport-error</c></summary>
    TransportError,

    /// <summary>The host's name has no address of a family that this endpoint has. <c>host-not-found</c></summary>
    HostNotFound,
}

/// <summary>The stable strings.</summary>
public static class QuicErrorKindExtensions
{
    /// <summary>The stable string of a kind, such as <c>connection-idle</c>.</summary>
    /// <param name="kind">The kind.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not a kind.</exception>
    public static string ToKindString(this QuicErrorKind kind) => kind switch
    {
        QuicErrorKind.ConnectionAborted => "connection-aborted",
        QuicErrorKind.StreamAborted => "stream-aborted",
        QuicErrorKind.OperationAborted => "operation-aborted",
        QuicErrorKind.ConnectionTimeout => "connection-timeout",
        QuicErrorKind.ConnectionIdle => "connection-idle",
        QuicErrorKind.ConnectionRefused => "connection-refused",
        QuicErrorKind.AuthenticationFailed => "authentication-failed",
        QuicErrorKind.NoApplicationProtocol => "no-application-protocol",
        QuicErrorKind.VersionNegotiation => "version-negotiation",
        QuicErrorKind.StatelessReset => "stateless-reset",
        QuicErrorKind.TransportError => "transport-error",
        QuicErrorKind.HostNotFound => "host-not-found",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not an error kind."),
    };
}
