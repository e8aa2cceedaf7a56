using Gimlet.Quic.Frames;

namespace Gimlet.Quic.Connections;

/// <summary>How a connection came to its end (RFC 9000 section 10).</summary>
internal enum CloseKind
{
    /// <summary>Our application closed it.</summary>
    LocalApplication,

    /// <summary>The peer broke a rule, or TLS failed here: we closed it.</summary>
    LocalTransport,

    /// <summary>The peer's application closed it.</summary>
    PeerApplication,

    /// <summary>The peer closed it with an error of QUIC or TLS.</summary>
    PeerTransport,

    /// <summary>Nothing came for the idle timeout (section 10.1).</summary>
    IdleTimeout,

    /// <summary>The handshake took longer than permitted.</summary>
    HandshakeTimeout,

    /// <summary>The peer has forgotten the connection (section 10.3).</summary>
    StatelessReset,

    /// <summary>The server speaks none of our versions (section 6.2).</summary>
    VersionNegotiation,

    /// <summary>Our endpoint was disposed of; nothing was sent.</summary>
    Abandoned,
}

/// <summary>Why a connection ended.</summary>
/// <param name="Kind">How.</param>
/// <param name="Code">The application's code or a <see cref="Wire.TransportErrorCode"/>, by the kind; 0 where there is none.</param>
/// <param name="FrameType">The frame that caused a transport error, where it is known.</param>
/// <param name="Reason">For people; from the peer where it closed, so not to be trusted.</param>
internal sealed record CloseReason(CloseKind Kind, long Code, FrameType FrameType, string Reason);
