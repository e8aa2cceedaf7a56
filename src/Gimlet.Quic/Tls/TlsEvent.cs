using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tls;

/// <summary>What a <see cref="TlsEvent"/> tells.</summary>
internal enum TlsEventKind
{
    /// <summary>Handshake bytes to send in CRYPTO frames at a level, after what was sent there before.</summary>
    Send,

    /// <summary>A secret for one direction of a level. Comes before the first bytes to send there.</summary>
    Secret,

    /// <summary>The peer's transport parameters are known; not yet authenticated (RFC 9001 section 8.2).</summary>
    TransportParameters,

    /// <summary>The application protocol is chosen; not yet authenticated.</summary>
    ApplicationProtocol,

    /// <summary>The handshake is complete (RFC 9001 section 4.1.1): both Finished were sent and verified.</summary>
    Complete,

    /// <summary>The handshake is confirmed (RFC 9001 section 4.1.2).</summary>
    Confirmed,

    /// <summary>It failed: see <see cref="TlsEndpoint.Error"/>. The last event.</summary>
    Failed,
}

/// <summary>One thing that happened, in order.</summary>
/// <param name="Kind">What it was.</param>
/// <param name="Level">Of bytes and secrets.</param>
/// <param name="Data">Bytes to send, or the transport parameters.</param>
/// <param name="Secret">Now the receiver's to dispose.</param>
internal readonly record struct TlsEvent(
    TlsEventKind Kind, EncryptionLevel Level = default, ReadOnlyMemory<byte> Data = default, TlsSecret? Secret = null);
