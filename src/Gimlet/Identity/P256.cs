using System.Security.Cryptography;

namespace Gimlet.Identity;

/// <summary>
/// The shapes of P-256 keys on the wire, and the platform's primitives under them. Points are uncompressed (0x04, X, Y: 65
/// bytes); a SubjectPublicKeyInfo is the fixed 26-byte prefix of RFC 5480 and the point: 91 bytes.
/// </summary>
internal static class P256
{
    public const int PointLength = 65;
    public const int SubjectPublicKeyInfoLength = 91;
    public const int SignatureLength = 64;
    public const int SharedSecretLength = 32;

    // SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING (66 bytes, no unused bits) ... }
    private static ReadOnlySpan<byte> SpkiPrefix =>
    [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
        0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];

    /// <summary>True when the bytes have the one encoding we accept; whether the point is on the curve shows at import.</summary>
    public static bool IsSubjectPublicKeyInfo(ReadOnlySpan<byte> bytes) =>
        bytes.Length == SubjectPublicKeyInfoLength && bytes.StartsWith(SpkiPrefix) && bytes[SpkiPrefix.Length] == 4;

    public static bool IsPoint(ReadOnlySpan<byte> bytes) => bytes.Length == PointLength && bytes[0] == 4;

    /// <summary>The point of a public key.</summary>
    public static byte[] ExportPoint(ECParameters parameters)
    {
        byte[] point = new byte[PointLength];
        point[0] = 4;
        parameters.Q.X!.CopyTo(point, 1);
        parameters.Q.Y!.CopyTo(point, 33);
        return point;
    }

    /// <summary>Verifies a signature; false for any malformed key or signature.</summary>
    public static bool Verify(ReadOnlySpan<byte> subjectPublicKeyInfo, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!IsSubjectPublicKeyInfo(subjectPublicKeyInfo) || signature.Length != SignatureLength)
        {
            return false;
        }

        try
        {
            using var key = ECDsa.Create(Parameters(subjectPublicKeyInfo[SpkiPrefix.Length..]));
            return key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (CryptographicException)
        {
            // The point is not on the curve: the answer to "is this signature good" is no.
            return false;
        }
    }

    /// <summary>ECDH with a peer's point: the raw X coordinate.</summary>
    /// <param name="own">Our key.</param>
    /// <param name="point">The peer's point.</param>
    /// <param name="shared">32 bytes; the caller wipes them.</param>
    /// <returns>False when the point is not on the curve.</returns>
    public static bool TryAgree(ECDiffieHellman own, ReadOnlySpan<byte> point, Span<byte> shared)
    {
        if (!IsPoint(point))
        {
            return false;
        }

        try
        {
            using var other = ECDiffieHellman.Create(Parameters(point));
            using ECDiffieHellmanPublicKey otherPublic = other.PublicKey;
            byte[] secret = own.DeriveRawSecretAgreement(otherPublic);
            secret.CopyTo(shared);
            CryptographicOperations.ZeroMemory(secret);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static ECParameters Parameters(ReadOnlySpan<byte> point) => new()
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new ECPoint { X = point.Slice(1, 32).ToArray(), Y = point.Slice(33, 32).ToArray() },
    };
}
