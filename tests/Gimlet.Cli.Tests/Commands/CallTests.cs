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
        AssertConnected(connected);
        Assert.Equal((peer, dialing.Text("call")), (connected.Text("peer"), connected.Text("call")));
        Assert.Equal(["event", "seq", "rtt_ms", "path", "remote", "elapsed_ms"], pong.FieldNames);
        Assert.Equal(1, pong.Number("seq"));
        Assert.Contains(pong.Text("path"), Paths);
        Assert.True(pong.Number("rtt_ms") > 0);
        Assert.True(pong.Number("elapsed_ms") >= connected.Number("elapsed_ms"));
        Assert.Equal(["event", "reason"], result.Event("closed").FieldNames);

        CliEvent accepted = await listening.WaitForAsync("connected");
        CliEvent ping = await listening.WaitForAsync("ping");
        CliEvent closed = await listening.WaitForAsync("closed");
        AssertConnected(accepted);
        Assert.Equal(dialing.Text("call"), accepted.Text("call"));
        Assert.Equal(["event", "peer", "seq", "path", "remote"], ping.FieldNames);
        Assert.Equal((accepted.Text("peer"), 1), (ping.Text("peer"), ping.Number("seq")));
        Assert.Contains(ping.Text("path"), Paths);
        Assert.Equal(["event", "peer", "reason"], closed.FieldNames);
        Assert.Equal((accepted.Text("peer"), "closed by the peer"), (closed.Text("peer"), closed.Text("reason")));
    }

    [Fact]
    public async Task A_connection_moves_to_the_direct_path_by_itself()
    {
        (string url, _, _) = await ServeAsync();
        (string peer, _, _) = await ListenAsync(url);
        GimletProcess connecting = Start("connect", peer, "--server", url, "--ephemeral");

        CliEvent last = await connecting.WaitForAsync("connected");
        while (last.TextOrNull("path") != "direct")
        {
            last = await connecting.WaitForAsync("path");
            Assert.Equal(["event", "path", "remote", "rtt_ms", "elapsed_ms", "reason"], last.FieldNames.Where(static f => f is not ("why" or "why_kind")));
        }

        Assert.NotNull(last.TextOrNull("remote"));
        Assert.False(last.Fields.TryGetProperty("why", out _));
    }

    [Theory]
    [InlineData("--path", "relay-only")]
    [InlineData("--no-holepunch")]
    public async Task A_relayed_connection_says_why(params string[] option)
    {
        (string url, _, _) = await ServeAsync();
        (string peer, _, GimletProcess listening) = await ListenAsync(url);

        CliResult result = await RunAsync(["connect", peer, "--server", url, "--ephemeral", "-c", "2", .. option]);

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        CliEvent connected = result.Event("connected");
        AssertConnected(connected);
        Assert.Equal("relay", connected.Text("path"));
        Assert.NotEmpty(connected.Text("why"));
        Assert.Contains(connected.Text("why_kind"), new[] { "own-holepunch-off", "relay-only-policy" });
        Assert.All(result.Events.Where(static e => e.Name == "pong"), static pong => Assert.Equal(("relay", null), (pong.Text("path"), pong.TextOrNull("remote"))));
        Assert.Equal("relay", (await listening.WaitForAsync("connected")).Text("path"));
    }

    [Fact]
    public async Task People_are_told_why_and_what_would_help()
    {
        (string url, _, _) = await ServeAsync();
        (string peer, _, _) = await ListenAsync(url, "--no-holepunch");

        CliResult result = await RunForPeopleAsync("ping", peer, "--server", url, "--ephemeral", "-c", "1");

        Assert.Equal(0, result.ExitCode);
        string summary = result.Output[result.Output.IndexOf("summary", StringComparison.Ordinal)..];
        Assert.Contains("relayed because the peer takes part in no direct paths", summary, StringComparison.Ordinal);
        Assert.Contains("--no-holepunch on the other side", summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_only_a_direct_path_will_do_a_side_without_is_an_error()
    {
        (string url, _, _) = await ServeAsync();
        (string peer, _, _) = await ListenAsync(url, "--no-holepunch");

        AssertFailed(await RunAsync("ping", peer, "--server", url, "--ephemeral", "--path", "direct-only"), 7, "unsupported");
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
        Assert.Equal(["event", "sent", "received", "min_ms", "avg_ms", "max_ms"], summary.FieldNames.Take(6));
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

        Assert.Equal("summary", result.Events[^1].Name);
        CliEvent[] pongs = [.. result.Events.Where(static e => e.Name == "pong")];
        Assert.Equal(pongs.Length + 1, result.Events.Count);
        Assert.Equal("direct", pongs[^1].Text("path"));
        Assert.All(pongs[..^1], static pong => Assert.Equal("relay", pong.Text("path")));
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
        Assert.Equal(["server", "dialling", "connected", "pong", "closed"], words.Where(static w => w.Length > 0 && w != "path"));
    }

    private static readonly string[] Paths = ["relay", "direct"];

    private static void AssertConnected(CliEvent connected)
    {
        string[] always = ["event", "peer", "call", "path", "remote", "rtt_ms", "authenticated", "elapsed_ms"];
        Assert.Equal(always, connected.FieldNames.Take(always.Length));
        Assert.True(connected.Flag("authenticated"));
        Assert.Contains(connected.Text("path"), Paths);
        string[] rest = [.. connected.FieldNames.Skip(always.Length)];
        if (rest.Length > 0)
        {
            Assert.Equal("relay", connected.Text("path"));
            Assert.Equal(["why", "why_kind"], rest);
        }
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
