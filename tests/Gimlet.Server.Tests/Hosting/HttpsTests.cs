using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Hosting;

public sealed class HttpsTests
{
    [Fact]
    public async Task Nodes_register_over_TLS_and_a_changed_certificate_is_used_by_the_next_connection()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        using var log = new LogLines();
        using var folder = new TemporaryFolder();
        string first = WriteCertificate(folder, "first");
        await using GimletServer server = await StartAsync(folder, log);
        Uri url = Assert.Single(server.HttpUrls);
        Assert.Equal("https", url.Scheme);
        await using LiveNode before = await ConnectAsync(url, first);
        await before.RegisterAsync();
        _ = await before.NextAsync<RegisteredMessage>();

        // The certificate of one and the key of another: what a copy in two steps looks like in between.
        string second = WriteCertificate(folder, "second", keyToo: false);
        await server.Host.CheckFilesAsync(token);
        Assert.Equal(1, log.All.Count(l => l.Id == 45));
        await using LiveNode between = await ConnectAsync(url, first);

        folder.Write("cert.pem", "no certificate");
        await server.Host.CheckFilesAsync(token);
        Assert.Equal(2, log.All.Count(l => l.Id == 45));

        second = WriteCertificate(folder, "second");
        await server.Host.CheckFilesAsync(token);
        Assert.Equal(1, log.All.Count(l => l.Id == 44));
        await using LiveNode after = await ConnectAsync(url, second);
        await after.RegisterAsync();
        _ = await after.NextAsync<RegisteredMessage>();

        // The first connection does not notice.
        await before.SendAsync(new PingMessage { Id = 3 });
        Assert.Equal(3, (await before.NextAsync<PongMessage>()).Id);
    }

    [Fact]
    public async Task HTTP_and_HTTPS_can_be_served_together()
    {
        using var folder = new TemporaryFolder();
        string thumbprint = WriteCertificate(folder, "both");
        await using GimletServer server = await StartAsync(folder, null, new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Equal(["http", "https"], server.HttpUrls.Select(u => u.Scheme));
        await using LiveNode plain = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode secure = await ConnectAsync(server.HttpUrls[1], thumbprint);
        await secure.RegisterAsync();
        _ = await secure.NextAsync<RegisteredMessage>();
        await plain.SendAsync(plain.Node.Call(secure.Node.Id));
        _ = await secure.NextAsync<IncomingMessage>();
    }

    [Fact]
    public async Task A_certificate_that_cannot_be_used_stops_the_start_with_its_name()
    {
        using var folder = new TemporaryFolder();
        folder.Write("cert.pem", "nothing");
        folder.Write("key.pem", "nothing");
        ServerStartException e = await Assert.ThrowsAsync<ServerStartException>(() => StartAsync(folder, null));
        Assert.Contains("cert.pem", e.Message, StringComparison.Ordinal);
    }

    private static Task<GimletServer> StartAsync(TemporaryFolder folder, LogLines? log, IPEndPoint? http = null) => Servers.StartAsync(o => o with
    {
        Http = http,
        Https = new IPEndPoint(IPAddress.Loopback, 0),
        CertificateFile = folder.Path("cert.pem"),
        CertificateKeyFile = folder.Path("key.pem"),
        LoggerFactory = log ?? o.LoggerFactory,
    });

    // The connection must be offered exactly this certificate.
    private static Task<LiveNode> ConnectAsync(Uri url, string thumbprint) => LiveNode.ConnectAsync(url, with: o =>
        o.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString(HashAlgorithmName.SHA256) == thumbprint);

    private static string WriteCertificate(TemporaryFolder folder, string name, bool keyToo = true)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        folder.Write("cert.pem", certificate.ExportCertificatePem());
        if (keyToo)
        {
            folder.Write("key.pem", key.ExportPkcs8PrivateKeyPem());
        }

        return certificate.GetCertHashString(HashAlgorithmName.SHA256);
    }
}
