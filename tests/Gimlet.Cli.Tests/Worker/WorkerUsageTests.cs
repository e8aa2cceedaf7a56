using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Worker;

/// <summary>A worker is set up by environment: what is wrong there is named, with its value and the remedy.</summary>
public sealed class WorkerUsageTests : WorkerTest
{
    private const string Url = "http://127.0.0.1:9";

    public static TheoryData<string, string, string> Wrong => new()
    {
        { "RENDEZVOUS_SERVICE_URL", "gimlet.example.org", "did you mean https://gimlet.example.org?" },
        { "RENDEZVOUS_SERVICE_URL", "ftp://gimlet.example.org", "ws://" },
        { "WORKER_ID", "a b", "1 to 128" },
        { "WORKER_ID", "..", "neither" },
        { "STUN_HOST_ENV", "a:b:c", "STUN_HOST_ENV 'a:b:c'" },
        { "STUN_PORT_ENV", "0", "STUN_PORT_ENV '0'" },
        { "STUN_PORT_ENV", "x", "STUN_PORT_ENV 'x'" },
        { "STUN_MAX_RETRIES", "0", "STUN_MAX_RETRIES '0'" },
        { "STUN_MAX_RETRIES", "1000000", "five minutes" },
        { "STUN_RETRY_DELAY_SEC", "-1", "STUN_RETRY_DELAY_SEC '-1'" },
        { "INTERNAL_UDP_PORT_ENV", "65536", "INTERNAL_UDP_PORT_ENV '65536'" },
        { "PORT", "http", "PORT 'http'" },
        { "PING_INTERVAL_SEC", "soon", "PING_INTERVAL_SEC 'soon'" },
        { "PING_TIMEOUT_SEC", "0", "PING_TIMEOUT_SEC '0'" },
        { "GIMLET_GROUP", "a/b", "group 'a/b'" },
        { "GIMLET_GROUP_SECRET", "short", "5 characters" },
        { "GIMLET_ALLOW", "nobody", "GIMLET_ALLOW 'nobody'" },
        { "GIMLET_SEND", "missing", "no such file" },
        { "GIMLET_RECEIVE", "missing/file", "folder does not exist" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_wrong_variable_is_named(string name, string value, string expected)
    {
        Environment["RENDEZVOUS_SERVICE_URL"] = Url;
        Environment[name] = value;

        CliEvent error = AssertFailed(await RunAsync("worker"), 2, "bad-usage");

        Assert.Contains(expected, error.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_rendezvous_it_says_what_is_missing()
    {
        CliEvent error = AssertFailed(await RunAsync("worker"), 2, "bad-usage");

        Assert.Contains("RENDEZVOUS_SERVICE_URL", error.Text("hint"), StringComparison.Ordinal);
        Assert.Contains("--rendezvous", error.Text("hint"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--exec", "cat")]
    [InlineData("--exec", "cat", "--group", "g")]
    [InlineData("--exec", "cat", "--group-secret", "0123456789abcdef")]
    public async Task A_command_is_run_for_nobody_who_is_not_named(params string[] arguments)
    {
        CliEvent error = AssertFailed(await RunAsync(["worker", "--rendezvous", Url, .. arguments]), 2, "bad-usage");

        Assert.Contains("--allow", error.Text("hint"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--exec", "cat", "--send", "-")]
    [InlineData("--once", "--stay")]
    [InlineData("--stay", "--send", "-")]
    [InlineData("--no-proof", "--allow", "PEER")]
    public async Task What_contradicts_itself_is_refused(params string[] arguments) => AssertFailed(
        await RunAsync(["worker", "--rendezvous", Url, .. arguments.Select(static a => a == "PEER" ? Nobody : a)]), 2, "bad-usage");

    [Fact]
    public async Task A_line_that_is_wrong_leaves_standard_output_to_the_data()
    {
        CliResult result = await RunAsync("worker", "--receive", "-", "--nonsense");

        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Contains("--nonsense", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_health_port_that_was_asked_for_must_be_free()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.IPv6Any, 0);
        taken.Server.DualMode = true;
        taken.Start();
        int port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        Environment["PORT"] = $"{port}";

        CliEvent error = AssertFailed(await RunAsync("worker", "--rendezvous", Url, "--port", "0"), 8, "local-fault");

        Assert.Contains($"{port}", error.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_UDP_port_that_was_asked_for_must_be_free()
    {
        using System.Net.Sockets.Socket taken = Loopback.TakeUdpPort(out int port);
        Environment["INTERNAL_UDP_PORT_ENV"] = $"{port}";

        _ = AssertFailed(await RunAsync("worker", "--rendezvous", Url, "--health-port", "off"), 8, "local-fault");
    }
}
