using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gimlet.Quic.Tests.Protection.Support;
using Gimlet.Quic.Tests.Tls.Support;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tests.Tls.Interop;

/// <summary>Our client and server against GnuTLS, which learnt TLS from the same RFC but not from us.</summary>
public sealed class GnuTlsTests
{
    private const string Tls13 = "NORMAL:-VERS-ALL:+VERS-TLS1.3:%DISABLE_TLS13_COMPAT_MODE:-CIPHER-ALL:-GROUP-ALL";

    private static readonly byte[] TheirParameters = [0x05, 0x04, 0x80, 0x20, 0x00, 0x00];

    public static MatrixTheoryData<string, string, string, string> Combinations => new(
        ["AES-128-GCM", "AES-256-GCM"],
        ["P-256", "P-384", "retry to P-384"],
        ["P-256", "P-384", "RSA"],
        ["base class library", "libcrypto"]);

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Our_client_and_their_server_agree_with_mutual_authentication(string cipher, string group, string key, string curves)
    {
        Assert.SkipUnless(GnuTls.IsAvailable, "libgnutls.so.30 (Debian: libgnutls30) is not on this machine.");
        (string certificate, string keyPem, byte[] publicKey) = Create(key);
        TlsClientOptions options = TlsPair.ClientOptions() with
        {
            Curves = Providers.Get(curves).Curves,
            ApplicationProtocols = [new SslApplicationProtocol("other"), new SslApplicationProtocol("gimlet")],
            KeyShareGroups = [group == "P-384" ? NamedGroup.Secp384r1 : NamedGroup.Secp256r1],
        };
        using var server = new GnuTlsPeer(new GnuTlsPeer.Settings
        {
            IsServer = true,
            Priorities = $"{Tls13}:+{cipher}:+GROUP-{(group == "P-256" ? "SECP256R1" : "SECP384R1")}",
            TransportParameters = TheirParameters,
            CertificatePem = certificate,
            KeyPem = keyPem,
            RequestsCertificate = true,
        });
        using var client = new TlsClient(options, new Random(1).NextBytes);
        client.Start();
        List<TlsEvent> events = [];

        Run(client, server, events);

        AssertAgreement(client, server, events);
        Assert.Equal(publicKey, client.Peer!.SubjectPublicKeyInfo.ToArray());
        Assert.Equal(options.Identity!.Chain[0].ToArray(), server.PeerCertificate);
        Assert.Equal(
            group == "retry to P-384" ? 2 : 1, events.Count(e => e is { Kind: TlsEventKind.Send, Level: EncryptionLevel.Initial }));
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Their_client_and_our_server_agree_with_mutual_authentication(string cipher, string group, string key, string curves)
    {
        Assert.SkipUnless(GnuTls.IsAvailable, "libgnutls.so.30 (Debian: libgnutls30) is not on this machine.");
        (string certificate, string keyPem, byte[] publicKey) = Create(key);
        TlsServerOptions options = TlsPair.ServerOptions() with
        {
            Curves = Providers.Get(curves).Curves,
            Groups = [group == "P-256" ? NamedGroup.Secp256r1 : NamedGroup.Secp384r1],
        };
        string groups = group == "P-384" ? "+GROUP-SECP384R1:+GROUP-SECP256R1" : "+GROUP-SECP256R1:+GROUP-SECP384R1";
        using var client = new GnuTlsPeer(new GnuTlsPeer.Settings
        {
            IsServer = false,
            Priorities = $"{Tls13}:+{cipher}:{groups}",
            TransportParameters = TheirParameters,
            CertificatePem = certificate,
            KeyPem = keyPem,
            ServerName = "peer.example",
        });
        using var server = new TlsServer(options, new Random(1).NextBytes);
        List<TlsEvent> events = [];
        client.Advance();

        Run(server, client, events);

        AssertAgreement(server, client, events);
        Assert.Equal("peer.example", server.ServerName);
        Assert.Equal(publicKey, server.Peer!.SubjectPublicKeyInfo.ToArray());
        Assert.Equal(options.Identity.Chain[0].ToArray(), client.PeerCertificate);
        Assert.Equal(
            group == "retry to P-384" ? 2 : 1, events.Count(e => e is { Kind: TlsEventKind.Send, Level: EncryptionLevel.Initial }));
    }

    [Fact]
    public void Their_server_refuses_our_client_without_a_certificate_when_it_requires_one()
    {
        Assert.SkipUnless(GnuTls.IsAvailable, "libgnutls.so.30 (Debian: libgnutls30) is not on this machine.");
        (string certificate, string keyPem, _) = Create("P-256");
        using var server = new GnuTlsPeer(new GnuTlsPeer.Settings
        {
            IsServer = true,
            Priorities = $"{Tls13}:+AES-128-GCM:+GROUP-SECP256R1",
            TransportParameters = TheirParameters,
            CertificatePem = certificate,
            KeyPem = keyPem,
            RequestsCertificate = true,
        });
        using var client = new TlsClient(TlsPair.ClientOptions() with { Identity = null }, new Random(1).NextBytes);
        client.Start();

        Run(client, server, []);

        // Our side is done when it has sent its Finished; theirs read the empty list for what it is.
        Assert.True(client.IsComplete);
        Assert.False(server.IsComplete);
        Assert.Contains("certificate", server.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Their_server_refuses_our_client_whose_signature_was_damaged()
    {
        Assert.SkipUnless(GnuTls.IsAvailable, "libgnutls.so.30 (Debian: libgnutls30) is not on this machine.");
        (string certificate, string keyPem, _) = Create("P-256");
        using var server = new GnuTlsPeer(new GnuTlsPeer.Settings
        {
            IsServer = true,
            Priorities = $"{Tls13}:+AES-128-GCM:+GROUP-SECP256R1",
            TransportParameters = TheirParameters,
            CertificatePem = certificate,
            KeyPem = keyPem,
            RequestsCertificate = true,
        });
        using var client = new TlsClient(TlsPair.ClientOptions(), new Random(1).NextBytes);
        client.Start();

        // The last byte of the CertificateVerify, before the 36 bytes of Finished.
        Run(client, server, [], flight => flight[^37] ^= 1);

        Assert.False(server.IsComplete);
        Assert.NotNull(server.Error);
    }

    [Fact]
    public void Our_server_refuses_their_client_without_a_certificate_when_it_requires_one()
    {
        Assert.SkipUnless(GnuTls.IsAvailable, "libgnutls.so.30 (Debian: libgnutls30) is not on this machine.");
        using var client = new GnuTlsPeer(new GnuTlsPeer.Settings
        {
            IsServer = false,
            Priorities = $"{Tls13}:+AES-128-GCM:+GROUP-SECP256R1",
            TransportParameters = TheirParameters,
        });
        using var server = new TlsServer(TlsPair.ServerOptions(), new Random(1).NextBytes);
        client.Advance();

        Run(server, client, []);

        Assert.Equal("CertificateRequired", Expect.NameOf(server.Error));
    }

    private static void Run(TlsEndpoint ours, GnuTlsPeer theirs, List<TlsEvent> events, Action<byte[]>? damage = null)
    {
        bool moved = true;
        while (moved)
        {
            moved = false;
            while (ours.TryPoll(out TlsEvent e))
            {
                moved = true;
                events.Add(e);
                if (e.Kind == TlsEventKind.Send)
                {
                    byte[] flight = e.Data.ToArray();
                    if (e.Level == EncryptionLevel.Handshake)
                    {
                        damage?.Invoke(flight);
                    }

                    theirs.Handle(e.Level, flight);
                }
            }

            while (theirs.Outgoing.TryDequeue(out (EncryptionLevel Level, byte[] Bytes) message))
            {
                moved = true;
                ours.Handle(message.Level, message.Bytes);
            }
        }
    }

    private static void AssertAgreement(TlsEndpoint ours, GnuTlsPeer theirs, List<TlsEvent> events)
    {
        Assert.Null(theirs.Error);
        Assert.Null(ours.Error);
        Assert.True(ours.IsComplete);
        Assert.True(theirs.IsComplete);
        Assert.Equal("gimlet", ours.ApplicationProtocol.ToString());
        Assert.Equal("gimlet", theirs.Protocol);
        Assert.Equal(TheirParameters, ours.PeerTransportParameters.ToArray());
        Assert.Equal(ours is TlsClient ? TlsPair.ClientParameters : TlsPair.ServerParameters, theirs.PeerTransportParameters);
        foreach (EncryptionLevel level in new[] { EncryptionLevel.Handshake, EncryptionLevel.OneRtt })
        {
            Assert.Equal(theirs.Secrets[(level, SecretDirection.Write)], TlsPair.Secret(events, level, SecretDirection.Read));
            Assert.Equal(theirs.Secrets[(level, SecretDirection.Read)], TlsPair.Secret(events, level, SecretDirection.Write));
        }
    }

    private static (string Certificate, string Key, byte[] PublicKey) Create(string kind)
    {
        if (kind != "RSA")
        {
            using var key = ECDsa.Create(kind == "P-256" ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384);
            string certificate = PemEncoding.WriteString("CERTIFICATE", SelfSignedCertificate.Create(key));
            return (certificate, key.ExportPkcs8PrivateKeyPem(), key.ExportSubjectPublicKeyInfo());
        }

        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=rsa", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 selfSigned = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return (selfSigned.ExportCertificatePem(), rsa.ExportPkcs8PrivateKeyPem(), rsa.ExportSubjectPublicKeyInfo());
    }
}
