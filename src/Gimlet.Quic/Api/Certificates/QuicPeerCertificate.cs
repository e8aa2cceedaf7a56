using System.Security.Cryptography.X509Certificates;

namespace Gimlet.Quic;

/// <summary>What the peer showed, and proved to hold the key of. Nothing else is checked: no names, no dates, no signatures of others.</summary>
public sealed class QuicPeerCertificate
{
    internal QuicPeerCertificate(IReadOnlyList<ReadOnlyMemory<byte>> chain, ReadOnlyMemory<byte> subjectPublicKeyInfo, string? targetHost)
    {
        Chain = chain;
        SubjectPublicKeyInfo = subjectPublicKeyInfo;
        TargetHost = targetHost;
    }

    /// <summary>DER certificates as they came, the peer's own first; ten at most.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Chain { get; }

    /// <summary>The public key of the first certificate (DER, RFC 5280 section 4.1.2.7): what a peer without a name is known by.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; }

    /// <summary>For a client, the host name or address that was dialled, where there is one; for a server null.</summary>
    public string? TargetHost { get; }

    /// <summary>The first certificate, parsed; the caller disposes of it.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The platform cannot read it.</exception>
    public X509Certificate2 ToX509() => X509CertificateLoader.LoadCertificate(Chain[0].Span);
}

/// <summary>
/// Decides whether a peer is the right one. Called once per handshake, after the peer proved to hold the key. Runs in the middle of receiving, with the
/// connection locked: it must not block, wait for a network, or use the endpoint. An exception counts as a refusal.
/// </summary>
/// <param name="peer">The peer's chain and key.</param>
public delegate QuicCertificateVerdict QuicCertificateDecision(QuicPeerCertificate peer);

/// <summary>The answer of a <see cref="QuicCertificateDecision"/>. The default value is a refusal.</summary>
public readonly record struct QuicCertificateVerdict
{
    private QuicCertificateVerdict(bool isAccepted, string? reason)
    {
        IsAccepted = isAccepted;
        Reason = reason;
    }

    /// <summary>It is the right peer.</summary>
    public static QuicCertificateVerdict Accept { get; } = new(isAccepted: true, reason: null);

    /// <summary>Whether the peer is accepted.</summary>
    public bool IsAccepted { get; }

    /// <summary>Why it is refused, for this side's exception; the peer sees only the alert bad_certificate.</summary>
    public string? Reason { get; }

    /// <summary>It is not the right peer.</summary>
    /// <param name="reason">Why, in words.</param>
    public static QuicCertificateVerdict Refuse(string reason) => new(isAccepted: false, reason);
}
