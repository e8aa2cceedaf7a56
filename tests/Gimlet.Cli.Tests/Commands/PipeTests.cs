using System.Security.Cryptography;
using System.Text;
using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

/// <summary>Standard input to the other side's standard output and back.</summary>
public sealed class PipeTests : CliTest
{
    private const int Many = 20_000_000;

    // The server gives a node 2.5 MB/s.
    private const int Some = 3_000_000;

    private static readonly string Nothing = Hash([]);

    [Theory]
    [InlineData(Many)]
    [InlineData(Some, "--path", "relay-only")]
    public async Task Both_directions_carry_everything_at_once(int length, params string[] option)
    {
        (PipeProcess listening, PipeProcess dialling, CliEvent announced) = await PairAsync(option);
        byte[] there = RandomNumberGenerator.GetBytes(length);
        byte[] back = RandomNumberGenerator.GetBytes(length);

        string[] got = await Task.WhenAll(listening.ExchangeAsync(back), dialling.ExchangeAsync(there));

        Assert.Equal([Hash(there), Hash(back)], got);
        foreach (PipeProcess side in new[] { listening, dialling })
        {
            CliResult result = await side.WaitForExitAsync();
            Assert.True(result.ExitCode == 0, result.Output);
            CliEvent closed = result.Event("closed");
            Assert.Equal(["event", "reason", "sent_bytes", "received_bytes"], closed.FieldNames);
            Assert.Equal((length, length), (closed.Number("sent_bytes"), closed.Number("received_bytes")));
            CliEvent connected = result.Event("connected");
            Assert.True(connected.Flag("authenticated"));
            if (option.Length > 0)
            {
                Assert.Equal("relay", connected.Text("path"));
                Assert.DoesNotContain(result.Events, static e => e.Name == "path" && e.TextOrNull("path") == "direct");
            }
        }

        Assert.Equal(["event", "peer", "ticket"], announced.FieldNames);
    }

    [Fact]
    public async Task Nothing_is_a_length_too()
    {
        (PipeProcess listening, PipeProcess dialling, _) = await PairAsync();

        string[] got = await Task.WhenAll(listening.ExchangeAsync([]), dialling.ExchangeAsync([]));

        Assert.Equal([Nothing, Nothing], got);
        Assert.Equal((0, 0), ((await listening.WaitForExitAsync()).ExitCode, (await dialling.WaitForExitAsync()).ExitCode));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_end_of_one_direction_leaves_the_other(bool listenerEndsFirst)
    {
        (PipeProcess listening, PipeProcess dialling, _) = await PairAsync();
        (PipeProcess first, PipeProcess second) = listenerEndsFirst ? (listening, dialling) : (dialling, listening);
        byte[] question = Encoding.UTF8.GetBytes("what is the time?");
        byte[] answer = RandomNumberGenerator.GetBytes(1_000_000);

        // The second answers when its output has ended, as a program behind it would.
        await first.WriteAndEndAsync(question);
        Assert.Equal(Hash(question), await second.ReadToEndAsync());
        Task<string> coming = first.ReadToEndAsync();
        await second.WriteAndEndAsync(answer);

        Assert.Equal(Hash(answer), await coming);
        Assert.Equal((0, 0), ((await listening.WaitForExitAsync()).ExitCode, (await dialling.WaitForExitAsync()).ExitCode));
    }

    [Fact]
    public async Task A_reader_that_is_gone_is_an_error_on_both_sides()
    {
        (PipeProcess listening, PipeProcess dialling, _) = await PairAsync();
        await listening.Output.DisposeAsync();
        await dialling.Input.WriteAsync("to nobody"u8.ToArray(), TestContext.Current.CancellationToken);

        CliEvent here = AssertFailed(await listening.WaitForExitAsync(), 8, "local-fault");
        AssertFailed(await dialling.WaitForExitAsync(), 1, "transport");

        Assert.Contains("Standard output", here.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_that_vanishes_is_an_error()
    {
        (PipeProcess listening, PipeProcess dialling, _) = await PairAsync();
        await dialling.Input.WriteAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken);
        await dialling.Input.FlushAsync(TestContext.Current.CancellationToken);
        _ = await listening.Output.ReadAtLeastAsync(new byte[5], 5, cancellationToken: TestContext.Current.CancellationToken);

        await listening.SignalAsync("KILL");

        CliResult result = await dialling.WaitForExitAsync();
        AssertFailed(result, 1, "transport");
        Assert.Equal(5, result.Event("closed").Number("sent_bytes"));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_ends_both_sides(string signal)
    {
        (PipeProcess listening, PipeProcess dialling, _) = await PairAsync();
        _ = await dialling.WaitForAsync("connected");

        await dialling.SignalAsync(signal);

        AssertFailed(await dialling.WaitForExitAsync(), 1, "interrupted");
        AssertFailed(await listening.WaitForExitAsync(), 1, "transport");
    }

    [Fact]
    public async Task A_ticket_for_one_is_for_one()
    {
        (string url, _, _) = await ServeAsync();
        PipeProcess listening = StartPipe("--listen", "--server", url, "--once-ticket");
        CliEvent announced = await listening.WaitForAsync("listening");

        PipeProcess stranger = StartPipe(announced.Text("peer"), "--server", url);
        AssertFailed(await stranger.WaitForExitAsync(), 5, "refused");
        PipeProcess dialling = StartPipe(announced.Text("ticket"));
        string[] got = await Task.WhenAll(listening.ExchangeAsync([1]), dialling.ExchangeAsync([2]));

        Assert.Equal([Hash([2]), Hash([1])], got);
        Assert.Equal(0, (await dialling.WaitForExitAsync()).ExitCode);
    }

    [Theory]
    [InlineData("pipe", "PEER is missing")]
    [InlineData("pipe --listen", "--listen needs a server")]
    [InlineData("pipe --listen somebody", "exclude each other")]
    [InlineData("pipe somebody --once-ticket", "--once-ticket says who may connect")]
    [InlineData("pipe --lisen", "Did you mean --listen?")]
    public async Task A_wrong_line_is_told_on_standard_error(string line, string expected)
    {
        CliResult result = await RunAsync(line.Split(' '));

        Assert.Equal((2, string.Empty), (result.ExitCode, result.Output));
        var error = CliEvent.Parse(result.Error.Trim());
        Assert.Equal("bad-usage", error.Text("kind"));
        Assert.Contains(expected, $"{error.Text("message")} {error.Text("hint")}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_listener_that_does_not_pipe_is_not_piped_to()
    {
        (string url, _, _) = await ServeAsync();
        (string peer, _, _) = await ListenAsync(url);

        AssertFailed(await StartPipe(peer, "--server", url).WaitForExitAsync(), 1, "unsupported");
    }

    private static string Hash(byte[] bytes) => Convert.ToHexString(SHA256.HashData(bytes));

    private async Task<(PipeProcess Listening, PipeProcess Dialling, CliEvent Announced)> PairAsync(params IReadOnlyList<string> more)
    {
        (string url, _, _) = await ServeAsync();
        PipeProcess listening = StartPipe(["--listen", "--server", url, .. more]);
        CliEvent announced = await listening.WaitForAsync("listening");
        return (listening, StartPipe([announced.Text("ticket"), .. more]), announced);
    }
}
