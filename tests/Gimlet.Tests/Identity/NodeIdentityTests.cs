using System.Security.Cryptography;
using Gimlet.Identity;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Identity;

public sealed class NodeIdentityTests
{
    [Fact]
    public void A_key_survives_PEM()
    {
        using var identity = NodeIdentity.Create();
        using var read = NodeIdentity.FromPem(identity.ExportPem());
        Assert.Equal(identity.Id, read.Id);
        byte[] signature = read.Sign("text"u8);
        Assert.Equal(P256.SignatureLength, signature.Length);
        Assert.True(P256.Verify(identity.PublicKey.Span, "text"u8, signature));
        Assert.False(P256.Verify(identity.PublicKey.Span, "texts"u8, signature));
    }

    [Fact]
    public void What_is_no_private_key_of_P256_is_refused()
    {
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(2048);
        using var p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string[] wrong =
        [
            string.Empty,
            "hello",
            p384.ExportPkcs8PrivateKeyPem(),
            rsa.ExportPkcs8PrivateKeyPem(),
            p256.ExportSubjectPublicKeyInfoPem(),
            p256.ExportPkcs8PrivateKeyPem()[..100],
            p256.ExportPkcs8PrivateKeyPem().Replace("M", "N", StringComparison.Ordinal),
        ];
        foreach (string pem in wrong)
        {
            _ = Assert.ThrowsAny<CryptographicException>(() => NodeIdentity.FromPem(pem));
        }
    }

    [Fact]
    public void Many_threads_may_sign_at_once() => Parallel.For(0, 200, i =>
    {
        byte[] text = BitConverter.GetBytes(i);
        Assert.True(P256.Verify(Keys.Small.PublicKey.Span, text, Keys.Small.Sign(text)));
    });
}
