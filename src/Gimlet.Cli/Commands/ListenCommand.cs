using System.CommandLine;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Options;
using Gimlet.Cli.Output;
using Gimlet.Cli.Running;

namespace Gimlet.Cli.Commands;

/// <summary><c>gimlet listen</c>: waits for peers and answers their round trips.</summary>
internal sealed class ListenCommand
{
    private readonly NodeSettings _node = new();
    private readonly OutputSettings _output = new();
    private readonly AccessSettings _access = new();

    private readonly FlagSetting _onAccept = new(
        "--on-accept", "Callers learn this node's addresses only after it has said yes, one round trip later. Always so with --allow.");

    private readonly ValueSetting<int> _max = new("--max", "N", "Ends after N connections have closed.", AddressText.ReadCount);

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var self = new ListenCommand();
        var command = new GimletCommand("listen", "Waits for peers and answers their pings, until Ctrl+C.")
        {
            Usages = ["listen [options]"],
            Examples =
            [
                new Example("gimlet listen --server https://gimlet.example.org", "prints the ticket for the other side"),
                new Example("gimlet listen --server https://gimlet.example.org --allow PEER", "refuses everyone else"),
            ],
        };
        self._access.AddTo(command);
        command.Add(self._onAccept.Option);
        command.Add(self._max.Option);
        self._node.AddTo(command);
        self._output.AddTo(command);
        command.SetAction((parse, _) => CommandHost.RunAsync(parse, self._output, self.RunAsync));
        return command;
    }

    private async Task<int> RunAsync(CommandContext context)
    {
        PeerAccess access = _access.Read(context.Parse);
        int? max = _max.TryGet(context.Parse, out int number) ? number : null;
        if (_node.Servers(context.Parse).Count == 0)
        {
            throw Usage.Error(
                "listen needs a server, through which peers find this node.",
                "Name one with --server URL or GIMLET_SERVER. Without a server: gimlet discover, and then gimlet connect --peer.");
        }

        try
        {
            LaunchedNode launched = await NodeLauncher.StartAsync(context, _node, options => options with
            {
                Policy = access.Policy,
                IntroduceOnAccept = _onAccept.Get(context.Parse),
            }).ConfigureAwait(false);
            var served = new List<Task>();
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(context.Interrupted);
            await using (launched.ConfigureAwait(false))
            {
                Announce(context.Reporter, launched.Node, access);
                await AcceptAsync(launched.Node, context.Reporter, served, max, enough).ConfigureAwait(false);
            }

            // The node has ended what was open; each end is told.
            await Task.WhenAll(served).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.Interrupted.IsCancellationRequested)
        {
            // Being asked to end is how listening ends.
        }

        return ExitCodes.Success;
    }

    private static void Announce(IReporter reporter, GimletNode node, PeerAccess access)
    {
        var listening = new ListeningEvent(node.Id.ToString(), access.IssueBy(node).ToString());
        reporter.Human(console =>
        {
            HumanText.Line(console, "green", "listening", listening.Peer);
            HumanText.Line(console, "grey", string.Empty, access.ToString());
            HumanText.Raw(console, string.Empty);
            HumanText.Raw(console, "The other side connects with");
            HumanText.Raw(console, string.Empty);
            HumanText.Raw(console, $"gimlet connect {listening.Ticket}");
            HumanText.Raw(console, string.Empty);
        });
        reporter.Report(listening);
    }

    private static async Task AcceptAsync(GimletNode node, IReporter reporter, List<Task> served, int? max, CancellationTokenSource enough)
    {
        int closed = 0;
        try
        {
            while (true)
            {
                GimletConnection connection = await node.AcceptAsync(enough.Token).ConfigureAwait(false);
                _ = served.RemoveAll(static s => s.IsCompleted);
                served.Add(ServeAsync(connection, reporter, () =>
                {
                    if (Interlocked.Increment(ref closed) == max)
                    {
                        enough.Cancel();
                    }
                }));
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to end, or as many as were wanted have come and gone.
        }
    }

    private static async Task ServeAsync(GimletConnection connection, IReporter reporter, Action closed)
    {
        string? peer = Words.Of(connection.RemotePeer);
        ConnectionNews.Tell(connection, reporter, namePeer: true);
        connection.PingAnswered += ping =>
        {
            reporter.Report(new PingEvent(peer, ping.Sequence, Words.Of(ping.Path.Kind), ping.Path.Remote?.ToString()));
        };
        reporter.Report(new ClosedEvent(peer, await connection.Closed.ConfigureAwait(false)));
        closed();
    }
}
