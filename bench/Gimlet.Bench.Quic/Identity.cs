using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gimlet.Bench.Quic;

/// <summary>One key on P-256 and its certificate for both sides of every contestant, as files that the foreign programs read.</summary>
internal sealed class Identity : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gimlet-bench-quic-");

    public Identity()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
    }

    public string Folder => _folder.FullName;

    public string CertificateFile => CertificateIn(Folder);

    public string KeyFile => KeyIn(Folder);

    public static X509Certificate2 Load(string folder) => X509Certificate2.CreateFromPemFile(CertificateIn(folder), KeyIn(folder));

    public void Dispose() => _folder.Delete(recursive: true);

    private static string CertificateIn(string folder) => Path.Combine(folder, "certificate.pem");

    private static string KeyIn(string folder) => Path.Combine(folder, "key.pem");
}
