using System.Net;
using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

/// <summary>Two people on one machine who exchange what discover prints.</summary>
public sealed class ServerlessTests : CliTest
{
    [Fact]
    public async Task Both_connect_with_what_the_other_discovered()
    {
        (_, string stun, _) = await ServeAsync();
        (string anna, string bertha) = (await DiscoverAsync(stun, "anna.pem"), await DiscoverAsync(stun, "bertha.pem"));

        GimletProcess first = Connect(bertha, "anna.pem", "--once", "--interval", "100ms", "--initiator");
        GimletProcess second = Connect(anna, "bertha.pem", "--once", "--interval", "100ms");

        foreach ((GimletProcess process, string other) in new[] { (first, bertha), (second, anna) })
        {
            CliResult result = await process.WaitForExitAsync();
            Assert.True(result.ExitCode == 0, result.Output + result.Error);
            CliEvent dialing = result.Event("dialing");
            CliEvent connected = result.Event("connected");
            Assert.Equal(["event", "peer", "call", "address"], dialing.FieldNames);
            Assert.Equal(other, $"{dialing.Text("address")}#{dialing.Text("peer")}");
            Assert.Equal(other.Split('#')[1], connected.Text("peer"));
            Assert.Equal(("direct", true), (connected.Text("path"), connected.Flag("authenticated")));
            Assert.InRange(result.Events.Count(static e => e.Name == "pong"), 1, 5);
            Assert.Equal("closed", result.Events[^1].Name);
            Assert.Empty(result.Error);
        }
    }

    [Fact]
    public async Task The_test_makes_as_many_round_trips_as_were_asked_for()
    {
        (_, string stun, _) = await ServeAsync();
        (string anna, string bertha) = (await DiscoverAsync(stun, "anna.pem"), await DiscoverAsync(stun, "bertha.pem"));

        GimletProcess staying = Connect(anna, "bertha.pem", "--skip-test");
        CliResult result = await Connect(bertha, "anna.pem", "--once", "--attempts", "3", "--interval", "50ms").WaitForExitAsync();

        Assert.Equal(0, result.ExitCode);
        Assert.Equal([1, 2, 3], result.Events.Where(static e => e.Name == "pong").Select(static e => e.Number("seq")));
        AssertFailed(await staying.WaitForExitAsync(), 1, "transport");
    }

    [Fact]
    public async Task A_bare_address_is_not_authenticated_and_says_so()
    {
        (_, string stun, _) = await ServeAsync();
        (string anna, string bertha) = (await DiscoverAsync(stun, "anna.pem"), await DiscoverAsync(stun, "bertha.pem"));

        GimletProcess first = Connect(bertha.Split('#')[0], "anna.pem", "--once", "--interval", "100ms");
        GimletProcess second = Connect(anna.Split('#')[0], "bertha.pem", "--once", "--interval", "100ms");

        foreach (GimletProcess process in new[] { first, second })
        {
            CliResult result = await process.WaitForExitAsync();
            Assert.True(result.ExitCode == 0, result.Output + result.Error);
            Assert.False(result.Event("connected").Flag("authenticated"));
            Assert.Contains("#PEERID", result.Event("warning").Text("message"), StringComparison.Ordinal);
            Assert.Null(result.Event("dialing").TextOrNull("peer"));
        }
    }

    [Fact]
    public async Task Nobody_there_is_said_after_the_timeout()
    {
        var address = new IPEndPoint(IPAddress.Loopback, Loopback.FreeUdpPort());

        CliEvent error = AssertFailed(await RunAsync("connect", "--peer", $"{address}#{Nobody}", "--ephemeral", "--timeout", "500ms"), 6, "peer-not-reachable");

        Assert.Contains($"{address}", error.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_direct_paths_it_is_impossible() =>
        AssertFailed(await RunAsync("connect", "--peer", $"127.0.0.1:9#{Nobody}", "--ephemeral", "--no-holepunch"), 7, "unsupported");

    [Fact]
    public async Task An_interrupted_dial_is_told()
    {
        using System.Net.Sockets.Socket silent = Loopback.TakeUdpPort(out int port);
        GimletProcess process = Start("connect", "--peer", $"127.0.0.1:{port}#{Nobody}", "--ephemeral");
        _ = await process.WaitForAsync("dialing");

        AssertFailed(await process.SignalAsync("INT"), 1, "interrupted");
    }

    private async Task<string> DiscoverAsync(string stun, string key) =>
        (await RunAsync("discover", "--stun", stun, "--key", Folder.File(key))).Event("discovered").Text("address");

    private GimletProcess Connect(string peer, string key, params IReadOnlyList<string> more) => Start(["connect", "--peer", peer, "--key", Folder.File(key), .. more]);
}
