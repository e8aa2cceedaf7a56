using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gimlet.Quic.Tls.Certificates;

/// <summary>The certificate around a bare key: peers look at the key only, so nothing else in it says anything.</summary>
internal static class SelfSignedCertificate
{
    // The same for every node: a name here would be a second identity that nobody checks.
    private const string Subject = "CN=gimlet";

    // A key does not expire; RFC 5280 section 4.1.2.5: "To indicate that a certificate has no well-defined expiration date, the notAfter
    // SHOULD be assigned the GeneralizedTime value of 99991231235959Z."
    private static readonly DateTimeOffset NotBefore = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset NotAfter = new(9999, 12, 31, 23, 59, 59, TimeSpan.Zero);

    /// <summary>The DER certificate of a P-256 or P-384 key; only its signature differs from call to call.</summary>
    public static byte[] Create(ECDsa key)
    {
        HashAlgorithmName hash = key.KeySize == 384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;
        var request = new CertificateRequest(new X500DistinguishedName(Subject), key, hash);

        // Some verifiers (webpki, which rustls uses) do not parse a certificate without any extension, even where only its key is looked at.
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        using X509Certificate2 certificate = request.Create(
            request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), NotBefore, NotAfter, SerialNumber(key));
        return certificate.RawData;
    }

    /// <summary>A ready identity.</summary>
    public static TlsIdentity CreateIdentity(ECDsa key) => new([Create(key)], key);

    // From the key, so that two nodes never share issuer and serial number. RFC 5280 section 4.1.2.2: positive, at most 20 octets.
    private static byte[] SerialNumber(ECDsa key)
    {
        byte[] serial = SHA256.HashData(key.ExportSubjectPublicKeyInfo())[..16];
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }
}
