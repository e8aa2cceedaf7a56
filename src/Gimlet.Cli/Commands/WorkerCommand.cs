using System.CommandLine;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Options;
using Gimlet.Cli.Output;
using Gimlet.Cli.Running;
using Gimlet.Cli.Running.Stages;
using Gimlet.Worker;

namespace Gimlet.Cli.Commands;

/// <summary><c>gimlet worker</c>: registers with a workers' rendezvous and connects to whom it is offered.</summary>
internal sealed class WorkerCommand
{
    private const string Name = "worker";

    // A peer that fails at once is offered again at once. It waits longer than this for what it is to be sent.
    private static readonly TimeSpan FailurePause = TimeSpan.FromSeconds(1);

    private readonly WorkerSettings _worker = new();
    private readonly StageSettings _stage = new();
    private readonly OutputSettings _output;

    private WorkerCommand() => _output = new OutputSettings { IsOutputTaken = _stage.TakesOutput };

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var self = new WorkerCommand();
        var command = new GimletCommand(Name, "Registers with a workers' rendezvous, connects to whom it is offered, and goes on until Ctrl+C.")
        {
            Usages = ["worker [options]"],
            Remarks =
            [
                "For containers and functions behind a cloud NAT: everything can be set by environment. The rendezvous is gimlet serve --workers, or any program that speaks the same JSON. "
                + "STUN and rendezvous may fail and come back: the worker goes on, and says so. It has one peer at a time.",
            ],
            Examples =
            [
                new Example("RENDEZVOUS_SERVICE_URL=https://gimlet.example.org gimlet worker", "waits for another worker, and stays connected to it"),
                new Example("tar c folder | gimlet worker --rendezvous https://gimlet.example.org --group build-7 --send -", "one stage of a pipeline"),
                new Example("gimlet worker --rendezvous https://gimlet.example.org --group build-7 --receive folder.tar", "and the next one"),
                new Example("gimlet worker --rendezvous https://gimlet.example.org --allow PEER --exec 'sort -u'", "a command for that peer, and for nobody else"),
            ],
        };
        self._stage.AddTo(command);
        self._worker.AddTo(command);
        self._output.AddTo(command);
        command.SetAction((parse, _) => CommandHost.RunAsync(parse, self._output, self.RunAsync));
        return command;
    }

    /// <summary>Whether a line that cannot be read meant standard output for data.</summary>
    /// <param name="args">The line.</param>
    public static bool TakesOutput(string[] args)
    {
        int at = Array.IndexOf(args, "--receive");
        return args is [Name, ..] && ((at >= 0 && at + 1 < args.Length && args[at + 1] == StagePlan.Standard) || args.Contains("--receive=" + StagePlan.Standard, StringComparer.Ordinal));
    }

    private async Task<int> RunAsync(CommandContext context)
    {
        StagePlan stage = _stage.Read(context.Parse);
        WorkerPlan plan = _worker.Read(context.Parse, runsCommand: stage.Command is not null);
        using NodeIdentity identity = WorkerKey.Read(_worker.Key, plan, context);
        HealthCheck? health = null;
        try
        {
            health = await StartHealthAsync(plan, context).ConfigureAwait(false);
            GimletWorker worker = await GimletWorker.StartAsync(
                plan.Options with { Identity = identity, LoggerFactory = context.Log, OnePeer = stage.Once }, context.Interrupted).ConfigureAwait(false);
            await using (worker.ConfigureAwait(false))
            {
                Announce(worker, plan, health, context.Reporter);
                WorkerNewsTeller.Tell(worker, context.Reporter);
                return await ServeAsync(worker, stage, context).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or GimletException && context.Interrupted.IsCancellationRequested)
        {
            // Being asked to end is how a worker ends. Its command and its peer may have been asked too, and their ends be seen first.
            return ExitCodes.Success;
        }
        finally
        {
            if (health is not null)
            {
                await health.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private static async Task<HealthCheck?> StartHealthAsync(WorkerPlan plan, CommandContext context)
    {
        if (plan.HealthPort is not { } port)
        {
            return null;
        }

        try
        {
            return await HealthCheck.StartAsync(port, context.Log, context.Interrupted).ConfigureAwait(false);
        }
        catch (GimletException e) when (!plan.IsHealthWanted)
        {
            // Nobody has asked for it: two workers on one machine are no error.
            context.Reporter.Report(new WarningEvent($"There is no health check: {e.Message}"));
            return null;
        }
    }

    private static void Announce(GimletWorker worker, WorkerPlan plan, HealthCheck? health, IReporter reporter)
    {
        int port = worker.LocalPorts.IPv4 != 0 ? worker.LocalPorts.IPv4 : worker.LocalPorts.IPv6;
        if (plan.Options.PortIsPreference && port != plan.Options.Port)
        {
            reporter.Report(new WarningEvent($"UDP port {plan.Options.Port} is in use; this worker has {port}."));
        }

        reporter.Report(new StartedEvent(worker.WorkerId, worker.PeerId.ToString(), port, health is null ? null : $"http://127.0.0.1:{health.Port}/"));
    }

    private static async Task<int> ServeAsync(GimletWorker worker, StagePlan stage, CommandContext context)
    {
        while (true)
        {
            WorkerPeer peer = await worker.AcceptAsync(context.Interrupted).ConfigureAwait(false);
            await using (peer.ConfigureAwait(false))
            {
                _ = ConnectionNews.Tell(peer.Connection, context.Reporter, namePeer: true, peer.WorkerId).WatchAsync();
                if (stage.IsEmpty)
                {
                    await StayAsync(worker, peer, context).ConfigureAwait(false);
                }
                else
                {
                    await TransferAsync(worker, peer, stage, context).ConfigureAwait(false);
                }
            }

            if (stage.Once)
            {
                return ExitCodes.Success;
            }
        }
    }

    private static async Task StayAsync(GimletWorker worker, WorkerPeer peer, CommandContext context)
    {
        try
        {
            await DeclineStreamsAsync(peer.Connection, context.Interrupted).ConfigureAwait(false);
            _ = await peer.Connection.Closed.WaitAsync(context.Interrupted).ConfigureAwait(false);
        }
        finally
        {
            await EndAsync(worker, peer, context).ConfigureAwait(false);
            context.Reporter.Report(new ClosedEvent(Words.Of(peer.Connection.RemotePeer), await peer.Connection.Closed.ConfigureAwait(false)));
        }
    }

    // A peer with a stage would wait for ever for somebody who takes what it sends.
    private static async Task DeclineStreamsAsync(GimletConnection connection, CancellationToken interrupted)
    {
        try
        {
            while (true)
            {
                PipeTransfer.Decline(await connection.AcceptStreamAsync(interrupted).ConfigureAwait(false));
            }
        }
        catch (GimletException)
        {
            // The connection has ended, and says why itself.
        }
    }

    private static async Task EndAsync(GimletWorker worker, WorkerPeer peer, CommandContext context)
    {
        if (context.Interrupted.IsCancellationRequested)
        {
            // The rendezvous hears it first: else the peer, which hears of the connection's end, would be offered a worker that is going.
            await worker.LeaveAsync().ConfigureAwait(false);
        }

        await peer.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task TransferAsync(GimletWorker worker, WorkerPeer peer, StagePlan stage, CommandContext context)
    {
        try
        {
            IStageEnd end = await StageEnd.OpenAsync(stage, context.Interrupted).ConfigureAwait(false);
            await using (end.ConfigureAwait(false))
            {
                var transfer = new PipeTransfer(peer.Connection, end, Name);
                try
                {
                    await transfer.RunAsync(context.Interrupted).ConfigureAwait(false);
                    await peer.DisposeAsync().ConfigureAwait(false);
                    await end.FinishAsync(context.Interrupted).ConfigureAwait(false);
                }
                finally
                {
                    await EndAsync(worker, peer, context).ConfigureAwait(false);
                    context.Reporter.Report(new PipeClosedEvent(await peer.Connection.Closed.ConfigureAwait(false), transfer.SentBytes, transfer.ReceivedBytes));
                }
            }
        }
        catch (GimletException e) when (!stage.Once && !context.Interrupted.IsCancellationRequested)
        {
            // One peer's failure is not the next one's; but where there is nobody else, the next one is the same.
            _ = CommandHost.Fail(context.Reporter, e);
            await Task.Delay(FailurePause, context.Interrupted).ConfigureAwait(false);
        }
    }
}
