namespace Gimlet.Quic.Tls.Certificates;

/// <summary>What the peer showed, and proved to hold the key of.</summary>
/// <param name="Chain">
/// DER certificates as they came, leaf first. Only the leaf's outline was checked: no names, no dates, no signatures.
/// </param>
/// <param name="SubjectPublicKeyInfo">The leaf's key (DER).</param>
/// <param name="ServerName">The host name a client asked for, or null.</param>
internal sealed record PeerCertificate(
    IReadOnlyList<ReadOnlyMemory<byte>> Chain, ReadOnlyMemory<byte> SubjectPublicKeyInfo, string? ServerName);

/// <summary>
/// Decides on a peer. Called once per handshake and not before the peer's signature was verified, so what it learns is true. An
/// exception counts as a refusal.
/// </summary>
/// <param name="peer">The peer's chain and key.</param>
internal delegate CertificateVerdict CertificateDecision(PeerCertificate peer);

/// <summary>
/// The answer of a <see cref="CertificateDecision"/>. The default value is a refusal: a decision that was forgotten admits nobody.
/// </summary>
internal readonly struct CertificateVerdict
{
    private CertificateVerdict(bool accepted, TlsAlert alert, string? reason)
    {
        IsAccepted = accepted;
        Alert = alert;
        Reason = reason;
    }

    public static CertificateVerdict Accept { get; } = new(accepted: true, default, reason: null);

    public bool IsAccepted { get; }

    public TlsAlert Alert { get; }

    public string? Reason { get; }

    public static CertificateVerdict Refuse(TlsAlert alert, string reason) => new(accepted: false, alert, reason);

    /// <summary>Null when accepted.</summary>
    public TlsError? ToError() => IsAccepted
        ? null
        : (Alert == default ? TlsAlert.BadCertificate : Alert).Because(Reason ?? "the certificate was not accepted");
}
