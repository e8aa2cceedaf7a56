using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gimlet.Quic.Interop.Peers;

/// <summary>A fresh self-signed certificate and its key in files, as foreign programs want them; gone with this.</summary>
internal sealed class PeerIdentity : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gimlet-peer-");

    public PeerIdentity()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=gimlet-interop", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        // A day on both sides, for clocks that differ; nobody checks more than that it is not over.
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(CertificatePath, certificate.ExportCertificatePem());
        // PKCS #8: what all the three programs read.
        File.WriteAllText(KeyPath, key.ExportPkcs8PrivateKeyPem());
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));
    }

    public string CertificatePath => Path.Combine(_folder.FullName, "certificate.pem");

    public string KeyPath => Path.Combine(_folder.FullName, "key.pem");

    /// <summary>Of the DER certificate, in lower case: <c>peer_certificate_sha256</c> of the other side.</summary>
    public string Sha256 { get; }

    public void Dispose() => _folder.Delete(recursive: true);
}
