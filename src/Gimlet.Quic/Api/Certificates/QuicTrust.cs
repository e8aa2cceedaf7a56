using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gimlet.Quic;

/// <summary>Ready-made decisions on a peer's certificate.</summary>
public static class QuicTrust
{
    // RFC 5280 section 4.2.1.12: id-kp-serverAuth.
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>Refuses everyone: what applies unless something else is said, so that a decision that was forgotten admits nobody.</summary>
    public static QuicCertificateDecision RefuseEveryone { get; } =
        _ => QuicCertificateVerdict.Refuse("no decision on the peer's certificate was given (DecideCertificate)");

    /// <summary>
    /// Accepts whoever is there, as long as it holds the key of what it shows: encryption against those who only listen, and none against those
    /// who stand between. For tests, and for applications that look at <see cref="QuicConnection.RemoteCertificate"/> before they trust the peer
    /// with anything.
    /// </summary>
    public static QuicCertificateDecision DangerousAcceptAnyPeer { get; } = _ => QuicCertificateVerdict.Accept;

    /// <summary>For clients: the chain must lead to a root that the system trusts, and name the host that was dialled.</summary>
    public static QuicCertificateDecision SystemRoots { get; } = peer => JudgeServer(peer, roots: null);

    /// <summary>For clients: the chain must lead to one of these roots, and name the host that was dialled.</summary>
    /// <param name="roots">The roots; not copied.</param>
    public static QuicCertificateDecision Roots(X509Certificate2Collection roots)
    {
        ArgumentNullException.ThrowIfNull(roots);
        return peer => JudgeServer(peer, roots);
    }

    /// <summary>The peer's key must be this one; names and dates do not matter.</summary>
    /// <param name="subjectPublicKeyInfo">The key (DER), as <see cref="QuicCertificate.SubjectPublicKeyInfo"/> of the other side.</param>
    public static QuicCertificateDecision PublicKey(ReadOnlyMemory<byte> subjectPublicKeyInfo)
    {
        if (subjectPublicKeyInfo.IsEmpty)
        {
            throw new ArgumentException("A public key is not empty.", nameof(subjectPublicKeyInfo));
        }

        byte[] expected = subjectPublicKeyInfo.ToArray();
        return peer => peer.SubjectPublicKeyInfo.Span.SequenceEqual(expected)
            ? QuicCertificateVerdict.Accept
            : QuicCertificateVerdict.Refuse("the peer's key is not the one that was expected");
    }

    private static QuicCertificateVerdict JudgeServer(QuicPeerCertificate peer, X509Certificate2Collection? roots)
    {
        if (string.IsNullOrEmpty(peer.TargetHost))
        {
            return QuicCertificateVerdict.Refuse("there is no host name to compare the certificate with: set TargetHost");
        }

        var parsed = new List<X509Certificate2>(peer.Chain.Count);
        try
        {
            foreach (ReadOnlyMemory<byte> certificate in peer.Chain)
            {
                parsed.Add(X509CertificateLoader.LoadCertificate(certificate.Span));
            }

            return JudgeServer(parsed, peer.TargetHost, roots);
        }
        catch (CryptographicException e)
        {
            return QuicCertificateVerdict.Refuse($"a certificate of the chain cannot be read: {e.Message}");
        }
        finally
        {
            parsed.ForEach(static c => c.Dispose());
        }
    }

    private static QuicCertificateVerdict JudgeServer(List<X509Certificate2> certificates, string host, X509Certificate2Collection? roots)
    {
        using var chain = new X509Chain();

        // The decision runs in the middle of receiving: nothing here may wait for a network.
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        _ = chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        for (int i = 1; i < certificates.Count; i++)
        {
            _ = chain.ChainPolicy.ExtraStore.Add(certificates[i]);
        }

        if (roots is not null)
        {
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        }

        bool isTrusted = chain.Build(certificates[0]);
        string status = string.Join(", ", chain.ChainStatus.Select(static s => s.Status));
        foreach (X509ChainElement element in chain.ChainElements)
        {
            element.Certificate.Dispose();
        }

        return !isTrusted ? QuicCertificateVerdict.Refuse($"the certificate's chain is not trusted ({status})")
            : !certificates[0].MatchesHostname(host) ? QuicCertificateVerdict.Refuse($"the certificate is not one for '{host}'")
            : QuicCertificateVerdict.Accept;
    }
}
