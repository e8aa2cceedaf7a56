using System.Security.Cryptography;
using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Tls.Certificates;

/// <summary>The peer's public key, and whether a signature is its own.</summary>
internal sealed class LeafKey : IDisposable
{
    // One of the two is there.
    private readonly RSA? _rsa;
    private readonly IVerifyingKey? _ecdsa;
    private readonly EllipticCurve _curve;

    private LeafKey(RSA rsa) => _rsa = rsa;

    private LeafKey(IVerifyingKey ecdsa, EllipticCurve curve)
    {
        _ecdsa = ecdsa;
        _curve = curve;
    }

    // The value bytes of the object identifiers: id-ecPublicKey, prime256v1, secp384r1, rsaEncryption.
    private static ReadOnlySpan<byte> EcPublicKey => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

    private static ReadOnlySpan<byte> Prime256V1 => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

    private static ReadOnlySpan<byte> Secp384R1 => [0x2b, 0x81, 0x04, 0x00, 0x22];

    private static ReadOnlySpan<byte> RsaEncryption => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

    /// <summary>Reads a SubjectPublicKeyInfo.</summary>
    /// <param name="subjectPublicKeyInfo">From a certificate of the peer.</param>
    /// <param name="curves">Whose curves verify.</param>
    /// <param name="limits">Bounds RSA keys.</param>
    /// <param name="key">The key, when there is no error.</param>
    public static TlsError? Parse(ReadOnlySpan<byte> subjectPublicKeyInfo, ICurveProvider curves, TlsLimits limits, out LeafKey? key)
    {
        key = null;
        var outer = new DerReader(subjectPublicKeyInfo);
        if (!outer.TryRead(DerReader.Sequence, out ReadOnlySpan<byte> fields)
            || !TryReadFields(fields, out ReadOnlySpan<byte> algorithm, out ReadOnlySpan<byte> parameters, out ReadOnlySpan<byte> bits))
        {
            return TlsAlert.BadCertificate.Because("the certificate's key cannot be read");
        }

        if (algorithm.SequenceEqual(RsaEncryption))
        {
            return ParseRsa(bits, limits, out key);
        }

        var curveReader = new DerReader(parameters);
        if (!algorithm.SequenceEqual(EcPublicKey)
            || !curveReader.TryRead(DerReader.ObjectIdentifier, out ReadOnlySpan<byte> curve)
            || !curveReader.IsEmpty)
        {
            return TlsAlert.UnsupportedCertificate.Because("the certificate's key is of a kind that we do not verify");
        }

        return curve.SequenceEqual(Prime256V1) ? ParseCurve(bits, curves, EllipticCurve.P256, out key)
            : curve.SequenceEqual(Secp384R1) ? ParseCurve(bits, curves, EllipticCurve.P384, out key)
            : TlsAlert.UnsupportedCertificate.Because("the certificate's key is on a curve that we do not verify");
    }

    /// <summary>Whether this kind of key can make signatures of the scheme: in TLS 1.3 the scheme names the curve.</summary>
    public bool Fits(SignatureScheme scheme) => scheme switch
    {
        SignatureScheme.EcdsaSecp256r1Sha256 => _ecdsa is not null && _curve == EllipticCurve.P256,
        SignatureScheme.EcdsaSecp384r1Sha384 => _ecdsa is not null && _curve == EllipticCurve.P384,
        SignatureScheme.RsaPssRsaeSha256 or SignatureScheme.RsaPssRsaeSha384 or SignatureScheme.RsaPssRsaeSha512 => _rsa is not null,
        _ => false,
    };

    /// <summary>True when the signature was made by this key; false for any malformed one.</summary>
    public bool Verify(SignatureScheme scheme, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        if (!Fits(scheme))
        {
            return false;
        }

        if (_ecdsa is not null)
        {
            Span<byte> hash = stackalloc byte[SHA512.HashSizeInBytes];
            return _ecdsa.Verify(hash[..CryptographicOperations.HashData(scheme.Hash(), content, hash)], signature);
        }

        try
        {
            return _rsa!.VerifyData(content, signature, scheme.Hash(), RSASignaturePadding.Pss);
        }
        catch (CryptographicException)
        {
            // Some platforms throw for a signature of a wrong length: the answer to "is it good" is no.
            return false;
        }
    }

    public void Dispose()
    {
        _rsa?.Dispose();
        _ecdsa?.Dispose();
    }

    // SubjectPublicKeyInfo ::= SEQUENCE { SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }, BIT STRING }
    private static bool TryReadFields(
        ReadOnlySpan<byte> fields, out ReadOnlySpan<byte> algorithm, out ReadOnlySpan<byte> parameters, out ReadOnlySpan<byte> bits)
    {
        algorithm = parameters = bits = default;
        var reader = new DerReader(fields);
        if (!reader.TryRead(DerReader.Sequence, out ReadOnlySpan<byte> identifier)
            || !reader.TryRead(DerReader.BitString, out bits)
            || !reader.IsEmpty
            || bits.IsEmpty
            || bits[0] != 0)
        {
            return false;
        }

        // The first byte of a bit string counts unused bits; keys have none.
        bits = bits[1..];
        var identifierReader = new DerReader(identifier);
        if (!identifierReader.TryRead(DerReader.ObjectIdentifier, out algorithm, out ReadOnlySpan<byte> whole))
        {
            return false;
        }

        parameters = identifier[whole.Length..];
        return true;
    }

    private static TlsError? ParseCurve(ReadOnlySpan<byte> point, ICurveProvider curves, EllipticCurve curve, out LeafKey? key)
    {
        key = curves.TryImportVerifier(curve, point, out IVerifyingKey? ecdsa) ? new LeafKey(ecdsa, curve) : null;
        return key is null ? TlsAlert.BadCertificate.Because("the certificate's key is no point of its curve") : null;
    }

    private static TlsError? ParseRsa(ReadOnlySpan<byte> bits, TlsLimits limits, out LeafKey? key)
    {
        key = null;

        // RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
        var outer = new DerReader(bits);
        if (!outer.TryRead(DerReader.Sequence, out ReadOnlySpan<byte> fields) || !outer.IsEmpty)
        {
            return TlsAlert.BadCertificate.Because("the certificate's RSA key cannot be read");
        }

        var reader = new DerReader(fields);
        if (!reader.TryRead(DerReader.Integer, out ReadOnlySpan<byte> modulus)
            || !reader.TryRead(DerReader.Integer, out ReadOnlySpan<byte> exponent)
            || !reader.IsEmpty)
        {
            return TlsAlert.BadCertificate.Because("the certificate's RSA key cannot be read");
        }

        int modulusBits = 8 * modulus.TrimStart((byte)0).Length;

        // Exponents in use are 3 and 65537; OpenSSL allows 64 bits for large keys, and a full-size one makes verifying as slow as
        // signing.
        if (modulusBits < limits.MinRsaBits || modulusBits > limits.MaxRsaBits || exponent.Length > 8)
        {
            return TlsAlert.UnsupportedCertificate.Because(
                $"the certificate's RSA key has {modulusBits} bits; {limits.MinRsaBits} to {limits.MaxRsaBits} are verified");
        }

        var rsa = RSA.Create();
        try
        {
            rsa.ImportRSAPublicKey(bits, out _);
            key = new LeafKey(rsa);
            return null;
        }
        catch (CryptographicException)
        {
            rsa.Dispose();
            return TlsAlert.BadCertificate.Because("the certificate's RSA key is none");
        }
    }
}
