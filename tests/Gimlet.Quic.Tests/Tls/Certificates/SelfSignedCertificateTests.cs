using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gimlet.Quic.Tls.Certificates;

namespace Gimlet.Quic.Tests.Tls.Certificates;

public sealed class SelfSignedCertificateTests
{
    [Fact]
    public void It_is_a_certificate_of_the_key_that_does_not_expire()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] der = SelfSignedCertificate.Create(key);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);

        Assert.Equal("CN=gimlet", certificate.Subject);
        Assert.Equal("CN=gimlet", certificate.Issuer);
        Assert.Equal(2000, certificate.NotBefore.ToUniversalTime().Year);
        Assert.Equal(9999, certificate.NotAfter.ToUniversalTime().Year);
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.True(CertificateKey.TryFind(der, out ReadOnlySpan<byte> found));
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), found.ToArray());

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.Add(certificate);
        Assert.True(chain.Build(certificate), string.Join(", ", chain.ChainStatus.Select(status => status.StatusInformation)));
    }

    [Fact]
    public void Two_of_the_same_key_differ_in_their_signature_only_and_two_keys_in_the_serial_number()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.Equal(ToBeSigned(SelfSignedCertificate.Create(key)), ToBeSigned(SelfSignedCertificate.Create(key)));
        using X509Certificate2 one = X509CertificateLoader.LoadCertificate(SelfSignedCertificate.Create(key));
        using X509Certificate2 two = X509CertificateLoader.LoadCertificate(SelfSignedCertificate.Create(other));
        Assert.NotEqual(one.SerialNumber, two.SerialNumber);
    }

    private static byte[] ToBeSigned(byte[] certificate)
    {
        var outer = new DerReader(certificate);
        Assert.True(outer.TryRead(DerReader.Sequence, out ReadOnlySpan<byte> fields));
        var reader = new DerReader(fields);
        Assert.True(reader.TryRead(DerReader.Sequence, out ReadOnlySpan<byte> toBeSigned));
        return toBeSigned.ToArray();
    }
}
