using Gimlet.Quic.Connections;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic;

/// <summary>Turns the core's reason into what a user catches.</summary>
internal static class CloseReasons
{
    // RFC 9001 section 4.8 and RFC 7301 section 3.2: no_application_protocol(120).
    private const long NoApplicationProtocol = (long)TransportErrorCode.CryptoErrorFirst + 120;

    /// <summary>A new exception for each caller: exceptions collect the stack of whoever throws them.</summary>
    public static QuicException ToException(this CloseReason close)
    {
        QuicErrorKind kind = KindOf(close);
        bool isApplication = close.Kind is CloseKind.LocalApplication or CloseKind.PeerApplication;
        bool isTransport = close.Kind is CloseKind.LocalTransport or CloseKind.PeerTransport;
        return new QuicException(kind, Describe(close))
        {
            ApplicationErrorCode = isApplication ? close.Code : null,
            TransportErrorCode = isTransport ? close.Code : null,
            Reason = close.Reason,
        };
    }

    private static QuicErrorKind KindOf(CloseReason close) => close.Kind switch
    {
        CloseKind.LocalApplication or CloseKind.Abandoned => QuicErrorKind.OperationAborted,
        CloseKind.PeerApplication => QuicErrorKind.ConnectionAborted,
        CloseKind.IdleTimeout => QuicErrorKind.ConnectionIdle,
        CloseKind.HandshakeTimeout => QuicErrorKind.ConnectionTimeout,
        CloseKind.StatelessReset => QuicErrorKind.StatelessReset,
        CloseKind.VersionNegotiation => QuicErrorKind.VersionNegotiation,
        _ => close.Code switch
        {
            (long)TransportErrorCode.ConnectionRefused => QuicErrorKind.ConnectionRefused,
            NoApplicationProtocol => QuicErrorKind.NoApplicationProtocol,
            >= (long)TransportErrorCode.CryptoErrorFirst and <= (long)TransportErrorCode.CryptoErrorLast => QuicErrorKind.AuthenticationFailed,
            _ => QuicErrorKind.TransportError,
        },
    };

    private static string Describe(CloseReason close)
    {
        string words = close.Reason.Length == 0 ? "." : $": {close.Reason}";
        return close.Kind switch
        {
            CloseKind.LocalApplication => $"The connection was closed by this side with code {close.Code}{words}",
            CloseKind.PeerApplication => $"The connection was closed by the peer's application with code {close.Code}{words}",
            CloseKind.LocalTransport => $"The connection was closed by this side with error 0x{close.Code:x}{words}",
            CloseKind.PeerTransport => $"The connection was closed by the peer with error 0x{close.Code:x}{words}",
            CloseKind.IdleTimeout => "The connection ended because nothing came from the peer for the idle timeout.",
            CloseKind.HandshakeTimeout => "The connection could not be made in the time allowed: nothing that answers as QUIC is there.",
            CloseKind.StatelessReset => "The peer has forgotten the connection (stateless reset).",
            CloseKind.VersionNegotiation => $"The server speaks no version of QUIC that this side does{words}",
            _ => "The connection ended with its endpoint.",
        };
    }
}
