using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

public sealed class ServeTests : CliTest
{
    private const string Token = "0123456789abcdef0123";

    [Fact]
    public async Task Ready_says_where_it_listens_and_who_may_use_it()
    {
        GimletProcess process = Start("serve", "--http", "127.0.0.1:0", "--stun", "127.0.0.1:0");

        CliEvent ready = await process.WaitForAsync("ready");

        Assert.Equal(["event", "http", "https", "stun", "stun_alt", "access"], ready.FieldNames);
        Assert.Matches(@"^http://127\.0\.0\.1:\d+$", ready.Text("http"));
        Assert.Null(ready.TextOrNull("https"));
        Assert.Matches(@"^127\.0\.0\.1:\d+$", ready.Text("stun"));
        Assert.NotEqual(ready.Text("stun"), ready.Text("stun_alt"));
        Assert.Contains("everyone", ready.Text("access"), StringComparison.Ordinal);
        using var http = new HttpClient();
        Assert.True((await http.GetAsync(new Uri($"{ready.Text("http")}/readyz"), TestContext.Current.CancellationToken)).IsSuccessStatusCode);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_ends_it_cleanly(string signal)
    {
        (_, _, GimletProcess process) = await ServeAsync();

        CliResult result = await process.SignalAsync(signal);

        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Error);
        Assert.Single(result.Events);
    }

    [Fact]
    public async Task The_port_of_the_platform_is_honoured()
    {
        int port = Loopback.ClosedTcpPort();
        Environment["PORT"] = $"{port}";

        CliEvent ready = await Start("serve", "--stun", "off").WaitForAsync("ready");

        Assert.EndsWith($":{port}", ready.Text("http"), StringComparison.Ordinal);
        Assert.Null(ready.TextOrNull("stun"));
    }

    [Fact]
    public async Task With_a_certificate_it_serves_HTTPS_alone()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        await File.WriteAllTextAsync(Folder.File("cert.pem"), certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Folder.File("key.pem"), key.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);

        CliEvent ready = await Start(
            "serve", "--https", "127.0.0.1:0", "--cert", Folder.File("cert.pem"), "--cert-key", Folder.File("key.pem"), "--stun", "off").WaitForAsync("ready");

        Assert.Matches(@"^https://127\.0\.0\.1:\d+$", ready.Text("https"));
        Assert.Null(ready.TextOrNull("http"));
    }

    [Fact]
    public async Task A_token_in_the_environment_closes_the_server_to_those_without()
    {
        Environment["GIMLET_TOKEN"] = Token;
        (string url, _, GimletProcess process) = await ServeAsync();
        _ = Environment.Remove("GIMLET_TOKEN");

        AssertFailed(await RunAsync("connect", Nobody, "--server", url, "--ephemeral"), 5, "rendezvous-rejected");
        AssertFailed(await RunAsync("connect", Nobody, "--server", url, "--ephemeral", "--server-token", Token), 4, "peer-offline");
        Environment["GIMLET_SERVER_TOKEN"] = Token;
        AssertFailed(await RunAsync("connect", Nobody, "--server", url, "--ephemeral"), 4, "peer-offline");
        CliEvent ready = (await process.SignalAsync("TERM")).Event("ready");
        Assert.Contains("token", ready.Text("access"), StringComparison.Ordinal);
        Assert.DoesNotContain(Token, ready.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_of_peers_closes_the_server_to_others()
    {
        string key = Folder.File("friend.pem");
        string friend = (await RunAsync("id", "--key", key)).Event("id").Text("peer");
        await File.WriteAllTextAsync(Folder.File("friends.txt"), $"# friends\n{friend}\n", TestContext.Current.CancellationToken);
        (string url, _, _) = await ServeAsync("--access", Folder.File("friends.txt"));

        AssertFailed(await RunAsync("connect", Nobody, "--server", url, "--ephemeral"), 5, "rendezvous-rejected");
        AssertFailed(await RunAsync("connect", Nobody, "--server", url, "--key", key), 4, "peer-offline");
    }

    [Fact]
    public async Task A_name_that_it_does_not_answer_for_is_refused()
    {
        (string url, _, _) = await ServeAsync("--name", "gimlet.example.org");

        CliEvent error = AssertFailed(await RunAsync("connect", Nobody, "--server", url, "--ephemeral"), 5, "rendezvous-rejected");

        Assert.Contains("--name", error.Text("hint"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_a_local_fault_without_a_stack_trace()
    {
        (string url, string stun, _) = await ServeAsync();

        CliResult http = await RunAsync("serve", "--http", new Uri(url).Authority, "--stun", "off");
        CliResult udp = await RunAsync("serve", "--http", "127.0.0.1:0", "--stun", stun);

        Assert.Contains(new Uri(url).Authority, AssertFailed(http, 8, "local-fault").Text("message"), StringComparison.Ordinal);
        Assert.Contains(stun, AssertFailed(udp, 8, "local-fault").Text("message"), StringComparison.Ordinal);
        Assert.Empty(http.Error + udp.Error);
    }
}
