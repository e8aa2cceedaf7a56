using System.Net.Security;
using System.Security.Cryptography;
using System.Text;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>
/// Who the two are: the same in every run. Their signatures always have the same length, so that the sizes of datagrams, and with them everything that
/// follows, depend on the seed only. One pair for each thread, because the platform does not promise that a key may be used by two.
/// </summary>
internal static class SimulatedIdentities
{
    [ThreadStatic]
    private static TlsIdentity? _clientOfThread;

    [ThreadStatic]
    private static TlsIdentity? _serverOfThread;

    public static SslApplicationProtocol Protocol { get; } = new("simulation");

    public static TlsIdentity Client => _clientOfThread ??= Make("client");

    public static TlsIdentity Server => _serverOfThread ??= Make("server");

    public static TlsClientOptions ClientOptions() => new()
    {
        ApplicationProtocols = [Protocol],
        TransportParameters = default,
        DecideCertificate = _ => CertificateVerdict.Accept,
        Identity = Client,
    };

    public static TlsServerOptions ServerOptions() => new()
    {
        ApplicationProtocols = [Protocol],
        TransportParameters = default,
        DecideCertificate = _ => CertificateVerdict.Accept,
        Identity = Server,
    };

    /// <summary>The server's identity with more certificates behind it, of 1,000 bytes each: nobody looks at them.</summary>
    public static TlsIdentity WithLongChain(int more)
    {
        var chain = new List<ReadOnlyMemory<byte>> { Server.Chain[0] };
        for (int i = 0; i < more; i++)
        {
            chain.Add(new byte[1000]);
        }

        return new TlsIdentity(chain, new SteadyKey("server"));
    }

    private static TlsIdentity Make(string name) => SelfSignedCertificate.CreateIdentity(new SteadyKey(name));

    /// <summary>A P-256 key from a name; signs until the signature has the length that all of them have.</summary>
    private sealed class SteadyKey : ECDsa
    {
        private const int FieldLength = 32;
        private readonly ECDsa _key;

        public SteadyKey(string name)
        {
            _key = Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = SHA256.HashData(Encoding.UTF8.GetBytes(name)) });
            LegalKeySizesValue = [new KeySizes(256, 256, 0)];
            KeySizeValue = 256;
        }

        public override byte[] SignHash(byte[] hash)
        {
            while (true)
            {
                byte[] signature = _key.SignHash(hash);

                // In DER an integer is as long as it must be: the field's 32 bytes unless the first is zero, one more where its high bit is set.
                if (signature[0] is > 0 and < 0x80 && signature[FieldLength] is > 0 and < 0x80)
                {
                    return signature;
                }
            }
        }

        public override bool VerifyHash(byte[] hash, byte[] signature) => _key.VerifyHash(hash, signature);

        public override ECParameters ExportParameters(bool includePrivateParameters) => _key.ExportParameters(includePrivateParameters);

        protected override void Dispose(bool disposing)
        {
            _key.Dispose();
            base.Dispose(disposing);
        }
    }
}
