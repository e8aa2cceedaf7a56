using System.CommandLine;
using System.Diagnostics;
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
        var command = new GimletCommand("listen", "Waits for peers, answers their pings and measurements, until Ctrl+C.")
        {
            Usages = ["listen [options]"],
            Examples =
            [
                new Example("gimlet listen --server https://gimlet.example.org", "prints the ticket for the other side"),
                new Example("gimlet listen --server https://gimlet.example.org --allow PEER", "refuses everyone else"),
                new Example("gimlet listen --server https://gimlet.example.org --ticket once,1h", "for the first who has the ticket, for an hour"),
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
            LaunchedNode launched = await NodeLauncher.StartAsync(
                context,
                _node,
                options => options with
                {
                    Policy = access.Policy,
                    Protocols = [Protocols.Echo, Protocols.Bench],
                    IntroduceOnAccept = _onAccept.Get(context.Parse),
                },
                RehearseAsync).ConfigureAwait(false);
            var served = new List<Task>();
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(context.Interrupted);
            await using (launched.ConfigureAwait(false))
            {
                Announce(context.Reporter, launched.Node, access);
                var guests = new Guests(context.Reporter, served, max, enough);
                await Task.WhenAll(
                    AcceptAsync(launched.Node, Protocols.Echo, guests.ServeEchoAsync, guests, enough.Token),
                    AcceptAsync(launched.Node, Protocols.Bench, guests.ServeBenchAsync, guests, enough.Token)).ConfigureAwait(false);

                // What is open is closed, and each end is told, while there is a node to do it.
                await Task.WhenAll(served).ConfigureAwait(false);
            }

        }
        catch (OperationCanceledException) when (context.Interrupted.IsCancellationRequested)
        {
            // Being asked to end is how listening ends.
        }

        return ExitCodes.Success;
    }

    // Two guests, of whom one stays on the relay.
    private static async Task RehearseAsync(CommandContext context, GimletNode dialler, GimletNode listener)
    {
        PathPolicy[] policies = [PathPolicy.RelayThenDirect, PathPolicy.RelayOnly];
        var served = new List<Task>();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(context.Interrupted);
        var guests = new Guests(context.Reporter, served, max: policies.Length, enough);
        Task accepting = AcceptAsync(listener, Protocols.Echo, guests.ServeEchoAsync, guests, enough.Token);
        foreach (PathPolicy policy in policies)
        {
            GimletConnection guest = await dialler.ConnectAsync(listener.Id, new ConnectOptions { Policy = policy }, context.Interrupted).ConfigureAwait(false);
            await using (guest.ConfigureAwait(false))
            {
                _ = await guest.PingAsync(context.Interrupted).ConfigureAwait(false);
            }
        }

        await accepting.ConfigureAwait(false);
        await Task.WhenAll(served).ConfigureAwait(false);
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

    private static async Task AcceptAsync(GimletNode node, string protocol, Func<GimletConnection, Task> serve, Guests guests, CancellationToken enough)
    {
        try
        {
            while (true)
            {
                guests.Add(serve(await node.AcceptAsync(protocol, enough).ConfigureAwait(false)));
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to end, or as many as were wanted have come and gone.
        }
    }

    /// <summary>Whoever is connected, for either protocol.</summary>
    private sealed class Guests(IReporter reporter, List<Task> served, int? max, CancellationTokenSource enough)
    {
        private readonly Lock _gate = new();
        private int _closed;
        private int _benches;

        public void Add(Task guest)
        {
            lock (_gate)
            {
                _ = served.RemoveAll(static s => s.IsCompleted);
                served.Add(guest);
            }
        }

        public async Task ServeEchoAsync(GimletConnection connection)
        {
            ConnectionNews news = ConnectionNews.Tell(connection, reporter, namePeer: true);
            string? peer = Words.Of(connection.RemotePeer);
            long start = Stopwatch.GetTimestamp();
            connection.PingAnswered += ping =>
            {
                reporter.Report(new PingEvent(peer, ping.Sequence, Words.Of(ping.Path.Kind), ping.Path.Remote?.ToString()));
                news.Recheck(connection.ConnectTime + Stopwatch.GetElapsedTime(start));
            };
            await EndAsync(connection).ConfigureAwait(false);
        }

        public async Task ServeBenchAsync(GimletConnection connection)
        {
            _ = ConnectionNews.Tell(connection, reporter, namePeer: true);
            if (Interlocked.Increment(ref _benches) <= BenchServer.MaxConnections)
            {
                await new BenchServer(connection).RunAsync(enough.Token).ConfigureAwait(false);
            }
            else
            {
                await connection.CloseAsync().ConfigureAwait(false);
            }

            _ = Interlocked.Decrement(ref _benches);
            await EndAsync(connection).ConfigureAwait(false);
        }

        private async Task EndAsync(GimletConnection connection)
        {
            using (var over = CancellationTokenSource.CreateLinkedTokenSource(enough.Token))
            {
                _ = await Task.WhenAny(connection.Closed, Task.Delay(Timeout.Infinite, over.Token)).ConfigureAwait(false);
                await over.CancelAsync().ConfigureAwait(false);
            }

            await connection.CloseAsync().ConfigureAwait(false);
            reporter.Report(new ClosedEvent(Words.Of(connection.RemotePeer), await connection.Closed.ConfigureAwait(false)));
            if (Interlocked.Increment(ref _closed) == max)
            {
                await enough.CancelAsync().ConfigureAwait(false);
            }
        }
    }
}
