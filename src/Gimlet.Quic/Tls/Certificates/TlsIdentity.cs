using System.Security.Cryptography;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tls.Certificates;

/// <summary>
/// Our certificate chain and the key of its first certificate. The key stays the caller's; handshakes that share an identity sign one after
/// the other, because the platform does not promise that a key may be used by two threads at once.
/// </summary>
internal sealed class TlsIdentity
{
    private readonly ECDsa _key;
    private readonly Lock _signing = new();

    /// <summary>Takes a chain, leaf first, and its key.</summary>
    /// <exception cref="ArgumentException">The key is not on P-256 or P-384, or not the leaf's.</exception>
    public TlsIdentity(IReadOnlyList<ReadOnlyMemory<byte>> chain, ECDsa key)
    {
        ArgumentOutOfRangeException.ThrowIfZero(chain.Count);
        Scheme = key.KeySize switch
        {
            256 => SignatureScheme.EcdsaSecp256r1Sha256,
            384 => SignatureScheme.EcdsaSecp384r1Sha384,
            _ => throw new ArgumentException($"A key of {key.KeySize} bits: only P-256 and P-384 sign.", nameof(key)),
        };
        if (!CertificateKey.TryFind(chain[0].Span, out ReadOnlySpan<byte> subjectPublicKeyInfo)
            || !subjectPublicKeyInfo.SequenceEqual(key.ExportSubjectPublicKeyInfo()))
        {
            throw new ArgumentException("The first certificate is not one for this key.", nameof(chain));
        }

        _key = key;
        Chain = chain;
    }

    /// <summary>DER certificates, leaf first.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Chain { get; }

    /// <summary>The one scheme that this key signs with.</summary>
    public SignatureScheme Scheme { get; }

    /// <summary>Signs the content of a CertificateVerify; the signature is DER, as RFC 8446 section 4.2.3 says for ECDSA.</summary>
    public byte[] Sign(ReadOnlySpan<byte> content)
    {
        byte[] signature = new byte[_key.GetMaxSignatureSize(DSASignatureFormat.Rfc3279DerSequence)];
        lock (_signing)
        {
            int length = _key.SignData(content, signature, Scheme.Hash(), DSASignatureFormat.Rfc3279DerSequence);
            return signature[..length];
        }
    }
}
