using System.CommandLine;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Options;
using Gimlet.Cli.Output;
using Gimlet.Cli.Running;

namespace Gimlet.Cli.Commands;

/// <summary><c>gimlet bench</c>: how much gets through to a <c>gimlet listen</c>.</summary>
internal sealed class BenchCommand
{
    // Long enough for a congestion window to find its size, short enough to wait for.
    private const int DefaultSeconds = 10;

    // The listener permits 100.
    private const int MaxStreams = 64;

    private readonly NodeSettings _node = new();
    private readonly OutputSettings _output = new();
    private readonly Argument<string?> _peer = PeerCall.CreateArgument();
    private readonly Option<string?> _seconds = Usage.Value("--seconds", "N", $"For how long, up to 3600. Default: {DefaultSeconds}.");
    private readonly Option<string?> _streams = Usage.Value("--streams", "N", $"On how many streams at once, up to {MaxStreams}. Default: 1.");
    private readonly Option<bool> _reverse = Usage.Flag("--reverse", "The other side sends.");

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var self = new BenchCommand();
        var command = new GimletCommand("bench", "Measures how much gets through to a peer that runs gimlet listen.")
        {
            Usages = ["bench PEER [options]"],
            Remarks =
            [
                "Counted is what the receiving application has read, by the receiver's clock, over whichever path the connection uses: --path relay-only or direct-only chooses. "
                + "CPU is of this process; retransmitted are the bytes in packets that the sender declared lost.",
            ],
            Examples =
            [
                new Example("gimlet bench gimlet1...", "10 s to the other side"),
                new Example("gimlet bench gimlet1... --reverse --path relay-only", "from the other side, through the server"),
            ],
        };
        command.Add(self._peer);
        foreach (Option option in new Option[] { self._seconds, self._streams, self._reverse })
        {
            command.Add(option);
        }

        self._node.AddTo(command);
        self._output.AddTo(command);
        command.SetAction((parse, _) => CommandHost.RunAsync(parse, self._output, self.RunAsync, self._node.IsDirectRequired));
        return command;
    }

    private async Task<int> RunAsync(CommandContext context)
    {
        BenchPlan plan = ReadPlan(context.Parse);
        CallTarget target = PeerCall.ReadTarget(context.Parse, _peer, _node);
        LaunchedNode launched = await NodeLauncher.StartAsync(
            context, _node, options => target.Adjust(options) with { Protocols = [Protocols.Bench] }).ConfigureAwait(false);
        await using (launched.ConfigureAwait(false))
        {
            Dialled dialled = await Dialer.DialAsync(
                (dialing, ct) => target.DialAsync(launched.Node, Protocols.Bench, dialing, ct), dialing: null, _node.Timeout(context.Parse), context).ConfigureAwait(false);
            GimletConnection connection = dialled.Connection;
            _ = ConnectionNews.Tell(connection, context.Reporter, namePeer: false);
            BenchEvent result = await new BenchRun(connection, plan).RunAsync(
                (before, now) => context.Reporter.Human(console => TellProgress(console, connection, before, now)), context.Interrupted).ConfigureAwait(false);
            await connection.CloseAsync().ConfigureAwait(false);
            context.Reporter.Report(result);
            return ExitCodes.Success;
        }
    }

    private static void TellProgress(Spectre.Console.IAnsiConsole console, GimletConnection connection, BenchProgress before, BenchProgress now)
    {
        double seconds = (now.Elapsed - before.Elapsed).TotalSeconds;
        string rate = seconds > 0 ? HumanText.Rate((now.Bytes - before.Bytes) * 8 / seconds) : "nothing";
        HumanText.Line(console, "grey", $"{now.Elapsed.TotalSeconds:0.0} s", $"{rate,14}   {(connection.Path is { } path ? Words.Of(path.Kind) : "no path")}");
    }

    private BenchPlan ReadPlan(ParseResult parse)
    {
        int seconds = Read(parse, _seconds, (int)BenchWire.Longest.TotalSeconds) ?? DefaultSeconds;
        return new BenchPlan(TimeSpan.FromSeconds(seconds), Read(parse, _streams, MaxStreams) ?? 1, parse.GetValue(_reverse));
    }

    private static int? Read(ParseResult parse, Option<string?> option, int most) => parse.GetValue(option) is { } text
        ? SettingText.Read(option, option.Name, text, t => AddressText.ReadCount(t) is int count && count <= most ? count : throw new FormatException($"at most {most} make sense"))
        : null;
}
