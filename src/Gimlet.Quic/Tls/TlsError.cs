namespace Gimlet.Quic.Tls;

/// <summary>Why a handshake failed: the QUIC transport error code to close with, and a sentence for people.</summary>
internal sealed class TlsError
{
    // RFC 9000 section 20.1.
    private const ulong ProtocolViolationCode = 0x0a;
    private const ulong CryptoBufferExceededCode = 0x0d;

    // RFC 9001 section 4.8: "The AlertDescription value is added to 0x0100 to produce a QUIC error code from the range reserved for
    // CRYPTO_ERROR".
    private const ulong CryptoErrorBase = 0x0100;

    private TlsError(ulong code, TlsAlert? alert, string reason)
    {
        Code = code;
        Alert = alert;
        Reason = reason;
    }

    /// <summary>The transport error code for CONNECTION_CLOSE.</summary>
    public ulong Code { get; }

    /// <summary>The alert, or null where RFC 9001 asks for a QUIC error instead of an alert.</summary>
    public TlsAlert? Alert { get; }

    /// <summary>
    /// What was wrong, in words, for our own logs: holds no bytes of the peer, but may hold the message of an exception of the owner's
    /// code, so it does not belong into the CONNECTION_CLOSE frame as it is.
    /// </summary>
    public string Reason { get; }

    /// <summary>A fatal alert.</summary>
    public static TlsError FromAlert(TlsAlert alert, string reason) => new(CryptoErrorBase + (byte)alert, alert, reason);

    /// <summary>PROTOCOL_VIOLATION, for what RFC 9001 calls so.</summary>
    public static TlsError ProtocolViolation(string reason) => new(ProtocolViolationCode, alert: null, reason);

    /// <summary>CRYPTO_BUFFER_EXCEEDED (RFC 9000 section 7.5), for messages larger than the limits allow.</summary>
    public static TlsError CryptoBufferExceeded(string reason) => new(CryptoBufferExceededCode, alert: null, reason);

    /// <inheritdoc/>
    public override string ToString() => $"{Alert?.ToString() ?? $"0x{Code:x}"}: {Reason}";
}

/// <summary>Lets a refusal read as a sentence: <c>TlsAlert.DecodeError.Because("...")</c>.</summary>
internal static class TlsAlertExtensions
{
    public static TlsError Because(this TlsAlert alert, string reason) => TlsError.FromAlert(alert, reason);
}
