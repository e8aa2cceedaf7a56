using System.CommandLine;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Options;
using Gimlet.Cli.Output;
using Gimlet.Cli.Running;

namespace Gimlet.Cli.Commands;

/// <summary><c>gimlet ping</c>: a few round trips and their sum.</summary>
internal sealed class PingCommand
{
    // Enough for a minimum and a mean, over before anyone waits.
    private const int DefaultCount = 5;

    private readonly NodeSettings _node = new();
    private readonly OutputSettings _output = new();
    private readonly Argument<string?> _peer = PeerCall.CreateArgument();
    private readonly Option<string?> _count = Usage.Value("--count", "N", $"How many; 0 for until Ctrl+C. Default: {DefaultCount}.", "-c");
    private readonly Option<bool> _untilDirect = Usage.Flag("--until-direct", "Ends with the first answer that came straight from the peer.");

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var self = new PingCommand();
        var command = new GimletCommand("ping", "Makes a few round trips to a peer, says which path each took, and sums them up.")
        {
            Usages = ["ping PEER [options]"],
            Examples =
            [
                new Example("gimlet ping PEER --server https://gimlet.example.org -c 10", "ten round trips"),
                new Example("gimlet ping gimlet1... --until-direct", "until the path is direct"),
            ],
        };
        command.Add(self._peer);
        command.Add(self._count);
        command.Add(self._untilDirect);
        self._node.AddTo(command);
        self._output.AddTo(command);
        command.SetAction((parse, _) => CommandHost.RunAsync(parse, self._output, self.RunAsync, self._node.IsDirectRequired));
        return command;
    }

    private async Task<int> RunAsync(CommandContext context)
    {
        int count = context.Parse.GetValue(_count) is { } text
            ? SettingText.Read(_count, _count.Name, text, static t => t == "0" ? 0 : AddressText.ReadCount(t))
            : DefaultCount;
        bool untilDirect = context.Parse.GetValue(_untilDirect);
        CallTarget target = PeerCall.ReadTarget(context.Parse, _peer, _node);
        var plan = new PingPlan
        {
            Count = count == 0 ? null : count,
            Until = untilDirect ? static pong => pong.Path == Words.Direct : static _ => false,
        };
        LaunchedNode launched = await NodeLauncher.StartAsync(context, _node, target.Adjust, RehearseAsync).ConfigureAwait(false);
        await using (launched.ConfigureAwait(false))
        {
            return await CallAsync(launched.Node, target, plan, _node.Timeout(context.Parse), context).ConfigureAwait(false);
        }
    }

    private static async Task RehearseAsync(CommandContext context, GimletNode dialler, GimletNode listener)
    {
        Task<GimletConnection> accepting = listener.AcceptAsync(context.Interrupted);
        _ = await CallAsync(dialler, new CallTarget(listener.Id, []), new PingPlan { Count = 1 }, timeout: null, context).ConfigureAwait(false);
        await (await accepting.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<int> CallAsync(GimletNode node, CallTarget target, PingPlan plan, TimeSpan? timeout, CommandContext context)
    {
        Dialled dialled = await Dialer.DialAsync((dialing, ct) => target.DialAsync(node, Protocols.Echo, dialing, ct), dialing: null, timeout, context).ConfigureAwait(false);
        var pings = new PingRun(dialled, context.Reporter);
        await pings.RunAsync(plan, context.Interrupted).ConfigureAwait(false);
        context.Reporter.Report(pings.Summary);
        return Judge(pings, dialled.Connection, context.Interrupted.IsCancellationRequested);
    }

    private static int Judge(PingRun pings, GimletConnection connection, bool interrupted)
    {
        if (connection.Closed.IsCompletedSuccessfully && !interrupted)
        {
            throw new GimletException(GimletErrorKind.Transport, $"The connection has ended: {connection.Closed.Result}.");
        }

        return pings.ReceivedCount > 0
            ? ExitCodes.Success
            : throw new GimletException(GimletErrorKind.TimedOut, $"None of {pings.SentCount} round trips was answered.");
    }
}
