using Gimlet.Quic.Frames;

namespace Gimlet.Quic.Wire;

/// <summary>Why a connection must close: what becomes a CONNECTION_CLOSE frame of type 0x1c (RFC 9000 section 11.1).</summary>
/// <param name="Code">The registry's code.</param>
/// <param name="FrameType">The frame that caused it; 0 where there is none (RFC 9000 section 19.19).</param>
/// <param name="Reason">For people, in English. A constant, so that an error costs no allocation.</param>
internal readonly record struct QuicError(TransportErrorCode Code, FrameType FrameType, string Reason)
{
    /// <summary>The error that is none: the default value.</summary>
    public static QuicError None => default;

    /// <summary>Makes an error that no frame caused.</summary>
    public QuicError(TransportErrorCode code, string reason)
        : this(code, FrameType.Padding, reason)
    {
    }

    /// <summary>Whether there is an error.</summary>
    public bool IsError => Code != TransportErrorCode.NoError;

    /// <summary>
    /// RFC 9001 section 4.8: "The AlertDescription value is added to 0x0100 to produce a QUIC error code from the range reserved for
    /// CRYPTO_ERROR".
    /// </summary>
    /// <param name="alert">The alert's description (RFC 8446 section 6).</param>
    /// <param name="reason">For people.</param>
    public static QuicError FromAlert(byte alert, string reason) => new(TransportErrorCode.CryptoErrorFirst + alert, reason);

    /// <inheritdoc/>
    public override string ToString() => IsError ? $"{Code} (0x{(long)Code:x}) in {FrameType}: {Reason}" : "no error";
}
