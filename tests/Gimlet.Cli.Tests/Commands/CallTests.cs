using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

/// <summary>listen, connect and ping, through a server on loopback.</summary>
public sealed class CallTests : CliTest
{
    [Fact]
    public async Task Connect_tells_the_dial_the_connection_and_the_round_trip()
    {
        (string url, _, _) = await ServeAsync();
        (string peer, _, GimletProcess listening) = await ListenAsync(url);

        CliResult result = await RunAsync("connect", peer, "--server", url, "--ephemeral", "--once");

        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Error);
        Assert.Equal(["dialing", "connected", "pong", "closed"], result.Events.Select(static e => e.Name).Where(static n => n != "path"));
        CliEvent dialing = result.Event("dialing");
        CliEvent connected = result.Event("connected");
        CliEvent pong = result.Event("pong");
        Assert.Equal(["event", "peer", "call"], dialing.FieldNames);
        Assert.Equal(["event", "peer", "call", "path", "remote", "rtt_ms", "authenticated", "elapsed_ms"], connected.FieldNames);
        Assert.Equal((peer, dialing.Text("call")), (connected.Text("peer"), connected.Text("call")));
        Assert.Equal(("direct", true), (connected.Text("path"), connected.Flag("authenticated")));
        Assert.Equal(["event", "seq", "rtt_ms", "path", "remote", "elapsed_ms"], pong.FieldNames);
        Assert.Equal((1, "direct"), (pong.Number("seq"), pong.Text("path")));
        Assert.True(pong.Number("rtt_ms") > 0);
        Assert.True(pong.Number("elapsed_ms") >= connected.Number("elapsed_ms"));
        Assert.Equal(["event", "reason"], result.Event("closed").FieldNames);

        CliEvent accepted = await listening.WaitForAsync("connected");
        CliEvent ping = await listening.WaitForAsync("ping");
        CliEvent closed = await listening.WaitForAsync("closed");
        Assert.Equal((dialing.Text("call"), "direct", true), (accepted.Text("call"), accepted.Text("path"), accepted.Flag("authenticated")));
        Assert.Equal(["event", "peer", "seq", "path", "remote"], ping.FieldNames);
        Assert.Equal((accepted.Text("peer"), 1, "direct"), (ping.Text("peer"), ping.Number("seq"), ping.Text("path")));
        Assert.Equal(["event", "peer", "reason"], closed.FieldNames);
        Assert.Equal((accepted.Text("peer"), "closed by the peer"), (closed.Text("peer"), closed.Text("reason")));
    }

    [Fact]
    public async Task A_ticket_brings_its_server()
    {
        (string url, _, _) = await ServeAsync();
        (string peer, string ticket, _) = await ListenAsync(url);

        CliResult result = await RunAsync("connect", ticket, "--ephemeral", "-c", "2");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(peer, result.Event("connected").Text("peer"));
        Assert.Equal([1, 2], result.Events.Where(static e => e.Name == "pong").Select(static e => e.Number("seq")));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Connect_stays_until_it_is_asked_to_end(string signal)
    {
        (string url, _, _) = await ServeAsync();
        (string peer, _, GimletProcess listening) = await ListenAsync(url);
        GimletProcess connecting = Start("connect", peer, "--server", url, "--ephemeral");
        _ = await connecting.WaitForAsync("pong");
        _ = await connecting.WaitForAsync("pong");

        CliResult result = await connecting.SignalAsync(signal);

        Assert.Equal(0, result.ExitCode);
        Assert.Equal("closed by this side", result.Event("closed").Text("reason"));
        Assert.Equal("closed by the peer", (await listening.WaitForAsync("closed")).Text("reason"));
    }

    [Fact]
    public async Task A_connection_that_the_other_side_ends_is_an_error()
    {
        (string url, _, _) = await ServeAsync();
        (string peer, _, GimletProcess listening) = await ListenAsync(url);
        GimletProcess connecting = Start("connect", peer, "--server", url, "--ephemeral");
        _ = await connecting.WaitForAsync("pong");

        CliResult listened = await listening.SignalAsync("TERM");
        CliResult result = await connecting.WaitForExitAsync();

        Assert.Equal(0, listened.ExitCode);
        Assert.Equal("closed by this side", listened.Event("closed").Text("reason"));
        AssertFailed(result, 1, "transport");
        Assert.Equal("closed by the peer", result.Event("closed").Text("reason"));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_listener_ends_cleanly(string signal)
    {
        (string url, _, _) = await ServeAsync();
        (_, _, GimletProcess listening) = await ListenAsync(url);

        CliResult result = await listening.SignalAsync(signal);

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["event", "peer", "ticket"], Assert.Single(result.Events).FieldNames);
        Assert.Empty(result.Error);
    }

    [Fact]
    public async Task A_listener_may_end_after_so_many_connections()
    {
        (string url, _, _) = await ServeAsync();
        (string peer, _, GimletProcess listening) = await ListenAsync(url, "--max", "2", "--on-accept");

        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(0, (await RunAsync("connect", peer, "--server", url, "--ephemeral", "--once")).ExitCode);
        }

        CliResult result = await listening.WaitForExitAsync();
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(2, result.Events.Count(static e => e.Name == "closed"));
    }

    [Fact]
    public async Task Only_those_who_are_allowed_get_through()
    {
        (string url, _, _) = await ServeAsync();
        string key = Folder.File("friend.pem");
        string friend = (await RunAsync("id", "--key", key)).Event("id").Text("peer");
        (string peer, _, _) = await ListenAsync(url, "--allow", friend, "--allow", Nobody);

        AssertFailed(await RunAsync("connect", peer, "--server", url, "--ephemeral", "--once"), 5, "refused");
        Assert.Equal(0, (await RunAsync("connect", peer, "--server", url, "--key", key, "--once")).ExitCode);
    }

    [Fact]
    public async Task Ping_tells_each_round_trip_and_their_sum()
    {
        (string url, _, _) = await ServeAsync();
        (string peer, _, _) = await ListenAsync(url);

        CliResult result = await RunAsync("ping", peer, "--server", url, "--ephemeral", "-c", "3");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["pong", "pong", "pong", "summary"], result.Events.Select(static e => e.Name));
        CliEvent summary = result.Event("summary");
        Assert.Equal(["event", "sent", "received", "min_ms", "avg_ms", "max_ms"], summary.FieldNames);
        Assert.Equal((3, 3), (summary.Number("sent"), summary.Number("received")));
        double[] times = [.. result.Events.Where(static e => e.Name == "pong").Select(static e => e.Number("rtt_ms"))];
        Assert.Equal((times.Min(), times.Max()), (summary.Number("min_ms"), summary.Number("max_ms")));
        Assert.Equal(times.Average(), summary.Number("avg_ms"), 0.002);
    }

    [Fact]
    public async Task Ping_may_end_with_the_first_direct_answer()
    {
        (string url, _, _) = await ServeAsync();
        (_, string ticket, _) = await ListenAsync(url);

        CliResult result = await RunAsync("ping", ticket, "--ephemeral", "--until-direct", "-c", "0");

        Assert.Equal(["pong", "summary"], result.Events.Select(static e => e.Name));
    }

    [Fact]
    public async Task Ping_sums_up_when_it_is_interrupted()
    {
        (string url, _, _) = await ServeAsync();
        (string peer, _, _) = await ListenAsync(url);
        GimletProcess pinging = Start("ping", peer, "--server", url, "--ephemeral", "-c", "0");
        _ = await pinging.WaitForAsync("pong");

        CliResult result = await pinging.SignalAsync("INT");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal("summary", result.Events[^1].Name);
        Assert.True(result.Event("summary").Number("received") >= 1);
    }

    [Fact]
    public async Task A_peer_that_nobody_knows_is_offline()
    {
        (string url, _, _) = await ServeAsync();

        AssertFailed(await RunAsync("connect", Nobody, "--server", url, "--ephemeral"), 4, "peer-offline");
        AssertFailed(await RunAsync("ping", Nobody, "--server", url, "--ephemeral"), 4, "peer-offline");
    }

    [Theory]
    [InlineData("connect")]
    [InlineData("ping")]
    [InlineData("listen")]
    public async Task A_server_that_is_not_there_is_unreachable(string command)
    {
        string url = $"http://127.0.0.1:{Loopback.ClosedTcpPort()}";
        string[] arguments = [command, .. command == "listen" ? Array.Empty<string>() : [Nobody], "--server", url, "--ephemeral", "--timeout", "1"];

        CliEvent error = AssertFailed(await RunAsync(arguments), 3, "server-unreachable");

        Assert.Contains(url, error.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task People_read_lines_and_no_escape_codes_in_a_file()
    {
        (string url, _, _) = await ServeAsync();
        (_, string ticket, _) = await ListenAsync(url);

        CliResult result = await RunForPeopleAsync("connect", ticket, "--ephemeral", "--once");

        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain('\e', result.Output);
        string[] words = [.. result.Output.Split('\n').Select(static line => line.Split(' ')[0])];
        Assert.Equal(["server", "dialling", "connected", "pong", "closed"], words.Where(static w => w != "path"));
    }

    [Fact]
    public async Task Log_lines_go_to_standard_error_also_with_events()
    {
        (string url, _, _) = await ServeAsync();

        CliResult result = await RunAsync("connect", Nobody, "--server", url, "--ephemeral", "-vv");

        AssertFailed(result, 4, "peer-offline");
        Assert.Contains("Gimlet.Node", result.Error, StringComparison.Ordinal);
    }
}
