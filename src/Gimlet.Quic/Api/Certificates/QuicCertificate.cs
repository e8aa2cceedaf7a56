using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gimlet.Quic.Tls.Certificates;

namespace Gimlet.Quic;

/// <summary>What this side shows to prove who it is: a certificate chain and the key of its first certificate, ECDSA on P-256 or P-384.</summary>
public sealed class QuicCertificate : IDisposable
{
    private readonly ECDsa? _ownKey;

    private QuicCertificate(TlsIdentity identity, ReadOnlyMemory<byte> subjectPublicKeyInfo, ECDsa? ownKey)
    {
        Identity = identity;
        SubjectPublicKeyInfo = subjectPublicKeyInfo;
        _ownKey = ownKey;
    }

    /// <summary>The public key (DER): what the peer knows this side by when it looks at keys only.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; }

    /// <summary>DER certificates, this side's own first.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Chain => Identity.Chain;

    internal TlsIdentity Identity { get; }

    /// <summary>Makes a certificate around a key that says nothing but the key: for peers that know each other by their keys.</summary>
    /// <param name="key">The key; it stays the caller's, must live as long as this, and must not sign for others at the same time.</param>
    /// <exception cref="ArgumentException">The key is not on P-256 or P-384, or has no private part.</exception>
    public static QuicCertificate FromKey(ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        CheckCurve(key);
        return new QuicCertificate(SelfSignedCertificate.CreateIdentity(key), key.ExportSubjectPublicKeyInfo(), ownKey: null);
    }

    /// <summary>Takes a certificate that somebody issued.</summary>
    /// <param name="certificate">The certificate with its private key, ECDSA on P-256 or P-384; may be disposed of afterwards.</param>
    /// <param name="intermediates">The certificates between it and the root, in this order; the root itself is of no use to the peer.</param>
    /// <exception cref="ArgumentException">There is no private key, or it is of another kind.</exception>
    public static QuicCertificate FromX509(X509Certificate2 certificate, IEnumerable<X509Certificate2>? intermediates = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ECDsa key = certificate.GetECDsaPrivateKey()
            ?? throw new ArgumentException(
                $"The certificate '{certificate.Subject}' has no ECDSA private key; keys of other kinds do not sign here.", nameof(certificate));
        try
        {
            CheckCurve(key);
            var chain = new List<ReadOnlyMemory<byte>> { certificate.RawData };
            chain.AddRange((intermediates ?? []).Select(static c => (ReadOnlyMemory<byte>)c.RawData));
            return new QuicCertificate(new TlsIdentity(chain, key), key.ExportSubjectPublicKeyInfo(), key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Frees the key where it came from an <see cref="X509Certificate2"/>. Connections that are being made need it.</summary>
    public void Dispose() => _ownKey?.Dispose();

    private static void CheckCurve(ECDsa key)
    {
        if (key.KeySize is not (256 or 384))
        {
            throw new ArgumentException($"The key has {key.KeySize} bits; only keys on P-256 and P-384 sign here.", nameof(key));
        }
    }
}
