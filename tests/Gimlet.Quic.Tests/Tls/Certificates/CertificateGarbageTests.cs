using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;

namespace Gimlet.Quic.Tests.Tls.Certificates;

public sealed class CertificateGarbageTests
{
    [Theory]
    [InlineData("P-256")]
    [InlineData("P-384")]
    [InlineData("RSA")]
    public void Certificates_that_are_damaged_anywhere_are_read_or_refused_without_an_exception(string kind)
    {
        byte[] certificate = Create(kind);
        Assert.Null(Read(certificate));
        for (int seed = 0; seed < 2_000; seed++)
        {
            var random = new Random(seed);
            byte[] damaged = certificate.ToArray();
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            TlsError? error = Read(damaged.AsSpan(0, random.Next(4) == 0 ? random.Next(damaged.Length) : damaged.Length));

            Assert.True(error is null or { Alert: TlsAlert.BadCertificate or TlsAlert.UnsupportedCertificate }, $"seed {seed}: {error}");
        }
    }

    [Fact]
    public void No_prefix_of_a_certificate_is_one()
    {
        byte[] certificate = Create("P-256");
        for (int length = 0; length < certificate.Length; length++)
        {
            Assert.False(CertificateKey.TryFind(certificate.AsSpan(0, length), out _));
        }
    }

    [Theory]
    [InlineData("3080", "an indefinite length")]
    [InlineData("308100", "a length of zero in two bytes")]
    [InlineData("30817f", "a short length in two bytes")]
    [InlineData("30820001ff", "a length with a leading zero")]
    [InlineData("3084000000010000", "a length of four bytes")]
    [InlineData("3005", "more than there is")]
    [InlineData("30", "no length")]
    [InlineData("", "nothing")]
    public void Lengths_that_are_not_DER_are_refused(string hex, string why)
    {
        var reader = new DerReader(Convert.FromHexString(hex));

        Assert.False(reader.TryRead(DerReader.Sequence, out _), why);
    }

    [Fact]
    public void RSA_keys_have_a_least_and_a_greatest_size()
    {
        using var rsa = RSA.Create(2048);
        byte[] key = rsa.ExportSubjectPublicKeyInfo();

        Assert.Null(Parse(key, new TlsLimits { MaxRsaBits = 2048 }));
        Assert.Equal(TlsAlert.UnsupportedCertificate, Parse(key, new TlsLimits { MaxRsaBits = 2047 })?.Alert);
        Assert.Equal(TlsAlert.UnsupportedCertificate, Parse(key, new TlsLimits { MinRsaBits = 2049 })?.Alert);
    }

    [Theory]
    [InlineData((ushort)SignatureScheme.RsaPssRsaeSha256, "SHA256")]
    [InlineData((ushort)SignatureScheme.RsaPssRsaeSha384, "SHA384")]
    [InlineData((ushort)SignatureScheme.RsaPssRsaeSha512, "SHA512")]
    public void RSA_signatures_are_PSS_with_the_hash_of_the_scheme(ushort scheme, string hash)
    {
        using var rsa = RSA.Create(2048);
        Assert.Null(LeafKey.Parse(rsa.ExportSubjectPublicKeyInfo(), BclCurves.Instance, TlsLimits.Default, out LeafKey? key));
        using LeafKey owned = key!;
        byte[] pss = rsa.SignData("content"u8, new HashAlgorithmName(hash), RSASignaturePadding.Pss);
        byte[] pkcs1 = rsa.SignData("content"u8, new HashAlgorithmName(hash), RSASignaturePadding.Pkcs1);

        Assert.True(owned.Verify((SignatureScheme)scheme, "content"u8, pss));
        Assert.False(owned.Verify((SignatureScheme)scheme, "contents"u8, pss));
        Assert.False(owned.Verify((SignatureScheme)scheme, "content"u8, pkcs1));
        Assert.False(owned.Verify(SignatureScheme.EcdsaSecp256r1Sha256, "content"u8, pss));
        Assert.False(owned.Verify(SignatureScheme.RsaPkcs1Sha256, "content"u8, pkcs1));
        Assert.All(
            new[] { SignatureScheme.RsaPssRsaeSha256, SignatureScheme.RsaPssRsaeSha384, SignatureScheme.RsaPssRsaeSha512 },
            other => Assert.Equal(other == (SignatureScheme)scheme, owned.Verify(other, "content"u8, pss)));
    }

    private static TlsError? Read(ReadOnlySpan<byte> certificate) => CertificateKey.TryFind(certificate, out ReadOnlySpan<byte> key)
        ? Parse(key, TlsLimits.Default)
        : TlsAlert.BadCertificate.Because("no outline");

    private static TlsError? Parse(ReadOnlySpan<byte> subjectPublicKeyInfo, TlsLimits limits)
    {
        TlsError? error = LeafKey.Parse(subjectPublicKeyInfo, BclCurves.Instance, limits, out LeafKey? key);
        Assert.Equal(error is null, key is not null);
        key?.Dispose();
        return error;
    }

    private static byte[] Create(string kind)
    {
        if (kind != "RSA")
        {
            using var key = ECDsa.Create(kind == "P-256" ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384);
            return SelfSignedCertificate.Create(key);
        }

        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=rsa", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return certificate.RawData;
    }
}
