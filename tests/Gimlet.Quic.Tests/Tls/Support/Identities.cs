using System.Security.Cryptography;
using Gimlet.Quic.Tls.Certificates;

namespace Gimlet.Quic.Tests.Tls.Support;

/// <summary>Keys and certificates for tests: made per test, because a key is not promised to be usable from two threads.</summary>
internal static class Identities
{
    public static TlsIdentity P256() => SelfSignedCertificate.CreateIdentity(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    public static TlsIdentity P384() => SelfSignedCertificate.CreateIdentity(ECDsa.Create(ECCurve.NamedCurves.nistP384));

    public static byte[] KeyOf(TlsIdentity identity)
    {
        Assert.True(CertificateKey.TryFind(identity.Chain[0].Span, out ReadOnlySpan<byte> key));
        return key.ToArray();
    }
}
