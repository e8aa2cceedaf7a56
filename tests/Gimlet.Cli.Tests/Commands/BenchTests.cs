using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

/// <summary>What gets through in a second.</summary>
public sealed class BenchTests : CliTest
{
    [Theory]
    [InlineData]
    [InlineData("--reverse")]
    [InlineData("--streams", "4")]
    [InlineData("--path", "relay-only")]
    [InlineData("--reverse", "--path", "relay-only", "--streams", "2")]
    public async Task It_tells_what_the_receiver_has(params string[] options)
    {
        (string url, _, _) = await ServeAsync();
        (_, string ticket, GimletProcess listening) = await ListenAsync(url);

        CliResult result = await RunAsync(["bench", ticket, "--ephemeral", "--seconds", "1", .. options]);

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        CliEvent bench = result.Event("bench");
        Assert.Equal(["event", "bits_per_second", "bytes", "seconds", "path", "cpu_seconds", "retransmitted_bytes"], bench.FieldNames);
        Assert.InRange(bench.Number("bytes"), 1, double.MaxValue);

        // The time is of the receiver, from its first byte on; both ends of it are rounded to a report.
        Assert.InRange(bench.Number("seconds"), 0.001, 10);
        double rate = bench.Number("bytes") * 8 / bench.Number("seconds");
        Assert.InRange(bench.Number("bits_per_second"), rate * 0.9, rate * 1.1);
        Assert.InRange(bench.Number("cpu_seconds"), 0.001, 60);
        Assert.InRange(bench.Number("retransmitted_bytes"), 0, double.MaxValue);
        if (options.Contains("relay-only"))
        {
            Assert.Equal("relay", bench.Text("path"));
        }

        _ = await listening.WaitForAsync("connected");
        Assert.Equal("closed by the peer", (await listening.WaitForAsync("closed")).Text("reason"));
    }

    [Fact]
    public async Task A_limit_of_the_relay_is_told_once()
    {
        (string url, _, _) = await ServeAsync("--relay-rate", "100K");
        (_, string ticket, _) = await ListenAsync(url);

        CliResult result = await RunAsync("bench", ticket, "--ephemeral", "--seconds", "3", "--path", "relay-only");

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        string message = result.Event("warning").Text("message");
        Assert.Contains("bytes per second", message, StringComparison.Ordinal);
        Assert.Contains("direct path", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task People_see_it_in_their_own_units()
    {
        (string url, _, _) = await ServeAsync();
        (_, string ticket, _) = await ListenAsync(url);

        CliResult result = await RunForPeopleAsync("bench", ticket, "--ephemeral", "--seconds", "2");

        Assert.Equal(0, result.ExitCode);
        string last = result.Output.TrimEnd().Split('\n')[^1];
        Assert.StartsWith("bench ", last, StringComparison.Ordinal);
        Assert.Matches("[0-9.]+ [kMG]bit/s", last);
    }

    [Fact]
    public async Task A_listener_that_ends_ends_it()
    {
        (string url, _, _) = await ServeAsync();
        (_, string ticket, GimletProcess listening) = await ListenAsync(url);
        GimletProcess measuring = Start("bench", ticket, "--ephemeral", "--seconds", "3600", "--reverse");
        _ = await listening.WaitForAsync("connected");

        Assert.Equal(0, (await listening.SignalAsync("TERM")).ExitCode);

        AssertFailed(await measuring.WaitForExitAsync(), 1, "transport");
    }

    [Fact]
    public async Task It_can_be_interrupted()
    {
        (string url, _, _) = await ServeAsync();
        (_, string ticket, GimletProcess listening) = await ListenAsync(url);
        GimletProcess measuring = Start("bench", ticket, "--ephemeral", "--seconds", "3600");
        _ = await measuring.WaitForAsync("connected");

        CliResult result = await measuring.SignalAsync("INT");

        // What was measured until then is told; where that is nothing, it was interrupted before it was done.
        Assert.Equal(result.ExitCode == 0 ? "bench" : "error", result.Events[^1].Name);
        Assert.InRange(result.ExitCode, 0, 1);
        _ = await listening.WaitForAsync("closed");
    }

    [Fact]
    public async Task A_peer_that_nobody_knows_is_offline()
    {
        (string url, _, _) = await ServeAsync();

        AssertFailed(await RunAsync("bench", Nobody, "--server", url, "--ephemeral"), 4, "peer-offline");
    }
}
