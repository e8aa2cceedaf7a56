using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

/// <summary>Decisions on certificates, with an authority of our own.</summary>
public sealed class TrustTests : IDisposable
{
    private readonly ECDsa _rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _root;

    public TrustTests()
    {
        var request = new CertificateRequest("CN=authority of a test", _rootKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
    }

    public void Dispose()
    {
        _root.Dispose();
        _rootKey.Dispose();
        _key.Dispose();
    }

    [Fact]
    public void A_chain_to_the_root_that_names_the_host_is_accepted()
    {
        QuicCertificateDecision decide = QuicTrust.Roots([_root]);
        byte[] leaf = Issue("server.test");
        Assert.True(decide(Peer(leaf, "server.test")).IsAccepted);
        AssertRefused("other.test", decide(Peer(leaf, "other.test")));
        AssertRefused("TargetHost", decide(Peer(leaf, host: null)));
        AssertRefused("not trusted", QuicTrust.SystemRoots(Peer(leaf, "server.test")));
    }

    [Fact]
    public void Other_roots_old_certificates_other_purposes_and_garbage_are_refused()
    {
        QuicCertificateDecision decide = QuicTrust.Roots([_root]);
        using X509Certificate2 other = new CertificateRequest("CN=other", _key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        AssertRefused("not trusted", decide(Peer(other.RawData, "other")));
        AssertRefused("NotTimeValid", decide(Peer(Issue("server.test", days: -1), "server.test")));
        AssertRefused("not trusted", decide(Peer(Issue("server.test", purpose: "1.3.6.1.5.5.7.3.2"), "server.test")));
        AssertRefused("cannot be read", decide(Peer([1, 2, 3], "server.test")));
    }

    [Fact]
    public void Keys_are_compared_whole()
    {
        byte[] key = _key.ExportSubjectPublicKeyInfo();
        QuicCertificateDecision decide = QuicTrust.PublicKey(key);
        Assert.True(decide(new QuicPeerCertificate([new byte[1]], key, targetHost: null)).IsAccepted);
        Assert.False(decide(new QuicPeerCertificate([new byte[1]], _rootKey.ExportSubjectPublicKeyInfo(), targetHost: null)).IsAccepted);
        _ = Assert.Throws<ArgumentException>(() => QuicTrust.PublicKey(default));
    }

    [Fact]
    public async Task A_client_without_a_certificate_visits_a_server_with_a_name()
    {
        using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(Issue("localhost")).CopyWithPrivateKey(_key);
        using var certificate = QuicCertificate.FromX509(leaf, [_root]);
        Assert.Equal(2, certificate.Chain.Count);
        await using var endpoints = TestEndpoints.Create(
            TestEndpoints.ServerOptions with { Certificate = certificate, ClientCertificate = QuicClientCertificateMode.None });
        QuicClientOptions options = TestEndpoints.ClientOptions with { Certificate = null, DecideCertificate = QuicTrust.Roots([_root]) };
        CancellationToken token = TestContext.Current.CancellationToken;
        int port = endpoints.Server.LocalEndPoint!.Port;
        QuicConnection client = await endpoints.Client.ConnectAsync("localhost", port, options, token);
        using X509Certificate2 shown = client.RemoteCertificate!.ToX509();
        Assert.Equal("CN=localhost", shown.Subject);
        Assert.Null((await endpoints.Listener.AcceptConnectionAsync(token)).RemoteCertificate);
        QuicException exception = await Assert.ThrowsAsync<QuicException>(
            async () => await endpoints.Client.ConnectAsync("localhost", port, options with { TargetHost = "elsewhere.test" }, token));
        Assert.Equal(QuicErrorKind.AuthenticationFailed, exception.Kind);
        Assert.Contains("elsewhere.test", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_without_its_key_is_refused()
    {
        ArgumentException exception = Assert.Throws<ArgumentException>(() => QuicCertificate.FromX509(X509CertificateLoader.LoadCertificate(Issue("x"))));
        Assert.Contains("CN=x", exception.Message, StringComparison.Ordinal);
    }

    private static QuicPeerCertificate Peer(byte[] leaf, string? host) => new([leaf], new byte[1], host);

    private static void AssertRefused(string reason, QuicCertificateVerdict verdict)
    {
        Assert.False(verdict.IsAccepted);
        Assert.Contains(reason, verdict.Reason, StringComparison.Ordinal);
    }

    private byte[] Issue(string host, int days = 10, string purpose = "1.3.6.1.5.5.7.3.1")
    {
        var request = new CertificateRequest($"CN={host}", _key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        DateTimeOffset begin = days > 0 ? DateTimeOffset.UtcNow.AddHours(-1) : DateTimeOffset.UtcNow.AddHours(-20);
        using X509Certificate2 leaf = request.Create(_root, begin, begin.AddHours(days > 0 ? 24 * days : 10), RandomNumberGenerator.GetBytes(8));
        return leaf.RawData;
    }
}
