using System.CommandLine;
using System.Diagnostics;
using System.Net;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Options;
using Gimlet.Cli.Output;
using Gimlet.Cli.Running;
using Gimlet.Server;
using Gimlet.Stun.Client;
using Gimlet.Stun.Server.Hosting;

namespace Gimlet.Cli.Commands;

/// <summary><c>gimlet demo</c>: a server and two nodes in this process, over loopback, told step by step.</summary>
internal sealed class DemoCommand
{
    private const int RoundTrips = 5;

    // Slow enough to be watched, short enough not to be waited for.
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    // Everything happens on this machine: what takes longer than this will not happen.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private readonly OutputSettings _output = new();
    private readonly long _started = Stopwatch.GetTimestamp();

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var self = new DemoCommand();
        var command = new GimletCommand("demo", "Shows on this machine alone how two nodes find each other: a server and two nodes, step by step.")
        {
            Usages = ["demo [options]"],
            Remarks =
            [
                "Uses this machine's addresses, free ports and keys of this run; needs no network and leaves nothing behind. "
                + "Ends with 0 when all round trips were direct.",
            ],
            Examples = [new Example("gimlet demo", "takes some two seconds"), new Example("gimlet demo --json", "the same for programs")],
        };
        self._output.AddTo(command);
        command.SetAction((parse, _) => CommandHost.RunAsync(parse, self._output, self.RunAsync));
        return command;
    }

    private async Task<int> RunAsync(CommandContext context)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(context.Interrupted);
        bound.CancelAfter(Limit);
        try
        {
            PingRun pings = await PlayAsync(context with { Interrupted = bound.Token }).ConfigureAwait(false);
            bool direct = pings.ReceivedCount == RoundTrips;
            context.Reporter.Human(static console => HumanText.Raw(console, string.Empty));
            context.Reporter.Report(pings.Summary);
            if (!direct)
            {
                throw new GimletException(
                    GimletErrorKind.PunchFailed,
                    $"{pings.ReceivedCount} of {RoundTrips} round trips came back over a direct path.",
                    "Something on this machine filters loopback traffic.");
            }

            context.Reporter.Human(TellNextStep);
            return ExitCodes.Success;
        }
        catch (OperationCanceledException) when (!context.Interrupted.IsCancellationRequested)
        {
            throw new GimletException(
                GimletErrorKind.TimedOut,
                $"The demo was not over after {Limit.TotalSeconds:0} s.",
                "Something on this machine keeps programs from talking over loopback; -vv shows how far it came.");
        }
    }

    private async Task<PingRun> PlayAsync(CommandContext context)
    {
        GimletServer server = await ServeCommand.StartAsync(
            new GimletServerOptions
            {
                Http = new IPEndPoint(IPAddress.Loopback, 0),
                Stun = new StunServerOptions { Listen = [new IPEndPoint(IPAddress.Loopback, 0)], Alternate = [new IPEndPoint(IPAddress.Loopback, 0)] },
                LoggerFactory = context.Log,
            },
            context.Interrupted).ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            Step(context, "server", $"{server.HttpUrls[0].GetLeftPart(UriPartial.Authority)}, STUN on UDP {string.Join(" and ", server.StunEndPoints)}");
            Task<GimletNode> starting = StartNodeAsync(server, "anna", context);
            GimletNode berta = await StartNodeAsync(server, "berta", context).ConfigureAwait(false);
            await using (berta.ConfigureAwait(false))
            {
                GimletNode anna = await starting.ConfigureAwait(false);
                await using (anna.ConfigureAwait(false))
                {
                    return await CallAsync(anna, berta, context).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task<GimletNode> StartNodeAsync(GimletServer server, string name, CommandContext context)
    {
        GimletNode node = await GimletNode.StartAsync(
            new GimletNodeOptions { Servers = [server.HttpUrls[0]], MetadataAddress = null, LoggerFactory = context.Log }, context.Interrupted).ConfigureAwait(false);
        try
        {
            Step(context, name, $"registered as {HumanText.Short(node.Id.ToString())}, UDP port {NodeLauncher.Port(node)}");
            await node.WaitForGatheringAsync(context.Interrupted).ConfigureAwait(false);
            foreach (StunServerResult result in node.StunResults)
            {
                Step(context, name, result.Outcome == StunOutcome.Answered
                    ? $"STUN server {result.Target.Server} sees {result.MappedAddress}, in {HumanText.Ms(result.RoundTrip.TotalMilliseconds)}"
                    : $"STUN server {result.Target.Server}: {result.Detail}");
            }

            return node;
        }
        catch
        {
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<PingRun> CallAsync(GimletNode anna, GimletNode berta, CommandContext context)
    {
        Task<GimletConnection> accepting = berta.AcceptAsync(context.Interrupted);
        Dialled dialled = await Dialer.DialAsync(
            (dialing, ct) => anna.ConnectAsync(berta.Id, new ConnectOptions { Dialing = dialing }, ct),
            call =>
            {
                Step(context, "call", $"anna dials {HumanText.Short(berta.Id.ToString())}; the server introduces both at once");
                return new DialingEvent(berta.Id.ToString(), call.ToString(), null);
            },
            timeout: null,
            context).ConfigureAwait(false);
        GimletConnection connection = dialled.Connection;
        GimletConnection accepted = await accepting.ConfigureAwait(false);
        Step(
            context,
            "connected",
            $"usable after {HumanText.Ms(connection.ConnectTime.TotalMilliseconds)}, "
            + (connection.Path is { Kind: PathKind.Direct } ? "direct at once" : "by the relay; the direct path is on its way"));
        await Task.WhenAll(WaitForDirectAsync(connection, context.Interrupted), WaitForDirectAsync(accepted, context.Interrupted)).ConfigureAwait(false);
        Step(context, "checks", $"both sides checked their addresses with the call's own key; direct after {HumanText.Ms(dialled.Elapsed.TotalMilliseconds)}");
        Step(context, "path", $"{Describe("anna", connection)}; {Describe("berta", accepted)}");
        var pings = new PingRun(dialled, context.Reporter);
        await pings.RunAsync(new PingPlan { Count = RoundTrips, Interval = Pace }, context.Interrupted).ConfigureAwait(false);
        await connection.CloseAsync().ConfigureAwait(false);
        string annas = await connection.Closed.ConfigureAwait(false);
        string bertas = await accepted.Closed.WaitAsync(context.Interrupted).ConfigureAwait(false);
        Step(context, "closed", $"anna: {annas}; berta: {bertas}");
        return pings;
    }

    private static async Task WaitForDirectAsync(GimletConnection connection, CancellationToken cancellationToken)
    {
        var direct = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.PathChanged += change =>
        {
            if (change.Path is { Kind: PathKind.Direct })
            {
                _ = direct.TrySetResult();
            }
        };
        if (connection.Path is not { Kind: PathKind.Direct })
        {
            await direct.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static string Describe(string name, GimletConnection connection) =>
        connection.Path is { } path ? $"{name} sends to {path.Remote}, {Words.Of(path.Kind)}" : $"{name} has none";

    private void Step(CommandContext context, string step, string text) =>
        context.Reporter.Report(new StepEvent(step, text, Words.Milliseconds(Stopwatch.GetElapsedTime(_started))));

    private static void TellNextStep(Spectre.Console.IAnsiConsole console)
    {
        HumanText.Raw(console, string.Empty);
        HumanText.Raw(console, "The same between two machines behind their NATs:");
        foreach ((string line, string where) in new[]
        {
            ("gimlet serve --name HOST", "on a machine that both can reach"),
            ("gimlet listen --server http://HOST:8080", "on the first one; prints a ticket"),
            ("gimlet connect TICKET", "on the second one; by the relay at once, then direct"),
        })
        {
            HumanText.Raw(console, $"  {line,-42} {where}");
        }
    }
}
