using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;

namespace Gimlet.Quic;

/// <summary>The public decision as TLS's own.</summary>
internal static class CertificateDecisions
{
    public static CertificateDecision Wrap(QuicCertificateDecision decide, string? targetHost) => peer =>
    {
        QuicCertificateVerdict verdict = decide(ToPublic(peer, targetHost));
        return verdict.IsAccepted
            ? CertificateVerdict.Accept
            : CertificateVerdict.Refuse(TlsAlert.BadCertificate, verdict.Reason ?? "the peer's certificate was not accepted");
    };

    public static QuicPeerCertificate ToPublic(PeerCertificate peer, string? targetHost) =>
        new(peer.Chain, peer.SubjectPublicKeyInfo, targetHost);
}
