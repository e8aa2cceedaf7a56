using System.Security.Cryptography;

namespace Gimlet.Quic.Interop.Ours;

/// <summary>A key and the certificate around it that our side shows.</summary>
internal sealed class OurIdentity : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public OurIdentity() => Certificate = QuicCertificate.FromKey(_key);

    public QuicCertificate Certificate { get; }

    /// <summary>Of the DER certificate, in lower case: <c>peer_certificate_sha256</c> of a foreign peer.</summary>
    public string Sha256 => Digest(Certificate.Chain[0]);

    public static string Digest(ReadOnlyMemory<byte> certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate.Span));

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }
}
