using System.Security.Cryptography;

namespace Gimlet.Quic.Tls.Certificates;

/// <summary>Signature algorithms of RFC 8446 section 4.2.3.</summary>
internal enum SignatureScheme : ushort
{
    RsaPkcs1Sha256 = 0x0401,
    RsaPkcs1Sha384 = 0x0501,
    RsaPkcs1Sha512 = 0x0601,
    EcdsaSecp256r1Sha256 = 0x0403,
    EcdsaSecp384r1Sha384 = 0x0503,
    RsaPssRsaeSha256 = 0x0804,
    RsaPssRsaeSha384 = 0x0805,
    RsaPssRsaeSha512 = 0x0806,
}

/// <summary>The lists that we send, and what a scheme means to the platform.</summary>
internal static class SignatureSchemes
{
    /// <summary>What we verify in a CertificateVerify, in our order of preference (ECDSA is a fraction of RSA's size).</summary>
    public static ReadOnlySpan<ushort> Handshake =>
    [
        (ushort)SignatureScheme.EcdsaSecp256r1Sha256,
        (ushort)SignatureScheme.EcdsaSecp384r1Sha384,
        (ushort)SignatureScheme.RsaPssRsaeSha256,
        (ushort)SignatureScheme.RsaPssRsaeSha384,
        (ushort)SignatureScheme.RsaPssRsaeSha512,
    ];

    /// <summary>
    /// What may stand in certificates. RFC 8446 section 4.2.3 keeps the PKCS #1 codes for "signatures which appear in certificates";
    /// without them a server whose authority signs so would believe that it has no chain for us. The owner's callback judges chains.
    /// </summary>
    public static ReadOnlySpan<ushort> Certificates =>
    [
        (ushort)SignatureScheme.EcdsaSecp256r1Sha256,
        (ushort)SignatureScheme.EcdsaSecp384r1Sha384,
        (ushort)SignatureScheme.RsaPssRsaeSha256,
        (ushort)SignatureScheme.RsaPssRsaeSha384,
        (ushort)SignatureScheme.RsaPssRsaeSha512,
        (ushort)SignatureScheme.RsaPkcs1Sha256,
        (ushort)SignatureScheme.RsaPkcs1Sha384,
        (ushort)SignatureScheme.RsaPkcs1Sha512,
    ];

    public static HashAlgorithmName Hash(this SignatureScheme scheme) => scheme switch
    {
        SignatureScheme.EcdsaSecp384r1Sha384 or SignatureScheme.RsaPssRsaeSha384 => HashAlgorithmName.SHA384,
        SignatureScheme.RsaPssRsaeSha512 => HashAlgorithmName.SHA512,
        _ => HashAlgorithmName.SHA256,
    };
}
