using System.Net;
using System.Net.Sockets;
using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

public sealed class DiscoverTests : CliTest
{
    private static readonly string[] Fields = ["event", "public", "local", "server", "rtt_ms", "source", "address"];

    [Fact]
    public async Task Every_STUN_server_that_answers_is_an_event()
    {
        (_, string stun, _) = await ServeAsync();
        string key = Folder.File("k.pem");
        string peer = (await RunAsync("id", "--key", key)).Event("id").Text("peer");

        CliEvent discovered = (await RunAsync("discover", "--stun", stun, "--key", key)).Event("discovered");

        Assert.Equal(Fields, discovered.FieldNames);
        Assert.Equal("stun", discovered.Text("source"));
        Assert.Equal(stun, discovered.Text("server"));
        Assert.True(discovered.Number("rtt_ms") > 0);
        Assert.Equal(discovered.Text("local"), discovered.Text("public"));
        Assert.Equal($"{discovered.Text("public")}#{peer}", discovered.Text("address"));
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_an_event_too()
    {
        (_, string stun, _) = await ServeAsync();
        string closed = $"127.0.0.1:{Loopback.FreeUdpPort()}";
        Environment["GIMLET_STUN"] = $"{stun},{closed}";

        CliResult result = await RunAsync("discover", "--key", Folder.File("k.pem"), "--timeout", "1");

        CliEvent failed = result.Event("stun-failed");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["event", "server", "outcome", "detail"], failed.FieldNames);
        Assert.Equal(closed, failed.Text("server"));
        Assert.Equal(stun, result.Event("discovered").Text("server"));
        Assert.Empty(result.Error);
    }

    [Fact]
    public async Task With_no_STUN_at_all_there_is_the_local_address_and_the_reason()
    {
        CliResult result = await RunAsync("discover", "--key", Folder.File("k.pem"));

        Assert.Equal(0, result.ExitCode);
        CliEvent discovered = Assert.Single(result.Events);
        Assert.Equal([.. Fields, "explanation"], discovered.FieldNames);
        Assert.Equal("local", discovered.Text("source"));
        Assert.Null(discovered.TextOrNull("server"));
        Assert.Contains("no STUN server was named", discovered.Text("explanation"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_metadata_service_of_a_cloud_is_believed_where_STUN_is_silent()
    {
        await using var cloud = new FakeMetadata("93.184.216.34");
        Environment["GIMLET_METADATA_URL"] = cloud.Url;
        using Socket silent = Loopback.TakeUdpPort(out int port);

        CliResult result = await RunAsync("discover", "--key", Folder.File("k.pem"), "--stun", $"127.0.0.1:{port}", "--timeout", "300ms");

        CliEvent discovered = result.Event("discovered");
        Assert.Equal("cloud-metadata", discovered.Text("source"));
        Assert.StartsWith("93.184.216.34:", discovered.Text("public"), StringComparison.Ordinal);
        Assert.Contains("no STUN server answered", discovered.Text("explanation"), StringComparison.Ordinal);
        Assert.Equal("timed-out", result.Event("stun-failed").Text("outcome"));
    }

    [Fact]
    public async Task A_configured_address_comes_first_and_STUN_is_asked_all_the_same()
    {
        (_, string stun, _) = await ServeAsync();

        CliResult result = await RunAsync("discover", "--key", Folder.File("k.pem"), "--stun", stun, "--public-address", "203.0.113.7");

        Assert.Equal(["configured", "stun"], result.Events.Select(static e => e.Text("source")));
        Assert.StartsWith("203.0.113.7:", result.Events[0].Text("public"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_NAT_is_told_on_request()
    {
        (_, string stun, _) = await ServeAsync();

        CliEvent nat = (await RunAsync("discover", "--key", Folder.File("k.pem"), "--stun", stun, "--nat")).Event("nat");

        Assert.Equal(["event", "type", "mapping", "filtering", "evidence"], nat.FieldNames);
        Assert.Equal("endpoint-independent", nat.Text("mapping"));
    }

    [Fact]
    public async Task The_port_is_kept_for_the_next_run_with_the_same_key()
    {
        string key = Folder.File("k.pem");
        int first = LocalPort(await RunAsync("discover", "--key", key));
        int second = LocalPort(await RunAsync("discover", "--key", key));
        using (Loopback.TakeUdpPort(out _, first))
        {
            // Taken: any other will do, and that one is kept from then on.
            int third = LocalPort(await RunAsync("discover", "--key", key));
            Assert.NotEqual(first, third);
            Assert.Equal(third, LocalPort(await RunAsync("discover", "--key", key)));
        }

        Assert.Equal(first, second);
    }

    [Fact]
    public async Task A_port_that_was_asked_for_must_be_free()
    {
        using Socket taken = Loopback.TakeUdpPort(out int port);

        CliEvent error = AssertFailed(await RunAsync("discover", "--key", Folder.File("k.pem"), "--port", $"{port}"), 8, "local-fault");

        Assert.Contains($"{port}", error.Text("message"), StringComparison.Ordinal);
        Assert.Contains("--port", error.Text("hint"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task People_get_the_line_to_hand_over_and_the_command_for_the_other_person()
    {
        (_, string stun, _) = await ServeAsync();
        string key = Folder.File("k.pem");
        string address = (await RunAsync("discover", "--stun", stun, "--key", key)).Event("discovered").Text("address");

        CliResult result = await RunForPeopleAsync("discover", "--stun", stun, "--key", key);

        Assert.Contains(address, result.Output.Split('\n'));
        Assert.Contains($"gimlet connect --peer {address}", result.Output.Split('\n'));
    }

    [Fact]
    public async Task A_key_of_this_run_only_is_warned_about()
    {
        CliResult result = await RunAsync("discover", "--ephemeral");

        Assert.Contains("--ephemeral", result.Event("warning").Text("message"), StringComparison.Ordinal);
    }

    private static int LocalPort(CliResult result) => IPEndPoint.Parse(result.Event("discovered").Text("local")).Port;
}
