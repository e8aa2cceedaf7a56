using System.CommandLine;
using System.Net;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Options;
using Gimlet.Cli.Output;
using Gimlet.Cli.Running;

namespace Gimlet.Cli.Commands;

/// <summary><c>gimlet connect</c>: to a peer id or ticket through a server, or to an address that two people exchanged.</summary>
internal sealed class ConnectCommand
{
    private readonly NodeSettings _node = new();
    private readonly OutputSettings _output = new();
    private readonly Argument<string?> _peer = PeerCall.CreateArgument();
    private readonly Option<bool> _once = Usage.Flag("--once", "Ends after the first round trip; without a server: after the test.");
    private readonly Option<string?> _count = Usage.Value("--count", "N", "Ends after N round trips.", "-c");
    private readonly Option<string?> _dials = Usage.Value(
        "--dials", "N", "With --once or -c: connects so many times, one connection after the other, in one process: how quick a warm one is.");

    private readonly Option<string?> _address = Usage.Value(
        "--peer", "IP:PORT#PEERID", "Without a server: what the other person's gimlet discover printed. Both run this within the timeout.");

    private readonly Option<bool> _initiator = Usage.Flag("--initiator", "With --peer: this side chooses between paths. Only one side should say so.");
    private readonly Option<bool> _skipTest = Usage.Flag("--skip-test", "With --peer: leaves out the test that follows the path's opening.");
    private readonly Option<string?> _attempts = Usage.Value(
        "--attempts", "N", "With --peer: the round trips of the test, at least one of which must be answered. Default: 5.");

    private readonly Option<string?> _interval = Usage.Value(
        "--interval", "TIME", "With --peer: the time between two of them, such as 400ms, which is the default.");

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var self = new ConnectCommand();
        var command = new GimletCommand("connect", "Connects to a peer, shows its path and pings it every second, until Ctrl+C.")
        {
            Usages = ["connect PEER [options]", "connect --peer IP:PORT#PEERID [options]"],
            Examples =
            [
                new Example("gimlet connect gimlet1...", "with the ticket that gimlet listen prints"),
                new Example("gimlet connect PEER --server https://gimlet.example.org --once", "one round trip"),
                new Example("gimlet connect --peer 203.0.113.7:41002#PEERID", "without a server; the other side does the same"),
            ],
        };
        command.Add(self._peer);
        foreach (Option option in new Option[] { self._once, self._count, self._dials, self._address, self._initiator, self._skipTest, self._attempts, self._interval })
        {
            command.Add(option);
        }

        self._node.AddTo(command);
        self._output.AddTo(command);
        command.SetAction((parse, _) => CommandHost.RunAsync(parse, self._output, self.RunAsync, self.IsDirectRequired));
        return command;
    }

    private async Task<int> RunAsync(CommandContext context)
    {
        ConnectPlan plan = ReadPlan(context.Parse);
        LaunchedNode launched = await NodeLauncher.StartAsync(context, _node, plan.Adjust, RehearseAsync).ConfigureAwait(false);
        await using (launched.ConfigureAwait(false))
        {
            int exit = ExitCodes.Success;
            for (int dial = 0; dial < plan.Dials && !context.Interrupted.IsCancellationRequested; dial++)
            {
                exit = await DialAsync(launched.Node, plan, context).ConfigureAwait(false);
            }

            return exit;
        }
    }

    private static async Task RehearseAsync(CommandContext context, GimletNode dialler, GimletNode listener)
    {
        Task<GimletConnection> accepting = listener.AcceptAsync(context.Interrupted);
        _ = await DialAsync(dialler, new ConnectPlan.ThroughServer(new CallTarget(listener.Id, [])) { Once = true }, context).ConfigureAwait(false);
        await (await accepting.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<int> DialAsync(GimletNode node, ConnectPlan plan, CommandContext context)
    {
        Dialled dialled = await plan.DialAsync(node, context).ConfigureAwait(false);
        var pings = new PingRun(dialled, context.Reporter);

        // The first application data leaves before anything is written about the connection.
        pings.SendAhead();
        pings.News = ConnectionNews.Tell(dialled.Connection, context.Reporter, namePeer: false);
        if (!dialled.Connection.IsAuthenticated)
        {
            context.Reporter.Report(new WarningEvent(
                "The other side has not proven who it is: only an address was given. Use IP:PORT#PEERID, as its gimlet discover prints it."));
        }

        await PingAsync(pings, plan, dialled.Connection, context.Interrupted).ConfigureAwait(false);
        return await EndAsync(pings, plan, dialled.Connection, context).ConfigureAwait(false);
    }

    private static async Task PingAsync(PingRun pings, ConnectPlan plan, GimletConnection connection, CancellationToken interrupted)
    {
        if (plan.Test is { } test)
        {
            await pings.RunAsync(test, interrupted).ConfigureAwait(false);
            if (pings.ReceivedCount == 0)
            {
                return;
            }
        }

        bool enough = (plan.Once && pings.ReceivedCount > 0) || pings.FinishedCount >= plan.Count;
        if (!enough && !connection.Closed.IsCompleted && !interrupted.IsCancellationRequested)
        {
            var rest = new PingPlan { Count = plan.Count - pings.FinishedCount, Until = plan.Once ? static _ => true : static _ => false };
            await pings.RunAsync(rest, interrupted).ConfigureAwait(false);
        }
    }

    private static async Task<int> EndAsync(PingRun pings, ConnectPlan plan, GimletConnection connection, CommandContext context)
    {
        bool lost = connection.Closed.IsCompleted && !context.Interrupted.IsCancellationRequested;
        await connection.CloseAsync().ConfigureAwait(false);
        string reason = await connection.Closed.ConfigureAwait(false);
        context.Reporter.Report(new ClosedEvent(null, reason));
        bool wanted = (plan.Once || plan.Count is not null) && pings.ReceivedCount > 0;
        if (wanted || context.Interrupted.IsCancellationRequested)
        {
            return ExitCodes.Success;
        }

        throw lost
            ? new GimletException(GimletErrorKind.Transport, $"The connection has ended: {reason}.")
            : new GimletException(
                plan.Test is null ? GimletErrorKind.TimedOut : GimletErrorKind.PeerNotReachable,
                $"The path opened, and none of {pings.SentCount} round trips over it was answered.",
                "Something on the way lets only the first datagrams pass; try again with another --port.");
    }

    // Without a server there is no other path.
    private bool IsDirectRequired(ParseResult parse) => parse.GetValue(_address) is not null || _node.IsDirectRequired(parse);

    private ConnectPlan ReadPlan(ParseResult parse)
    {
        bool once = parse.GetValue(_once);
        int? count = Read(parse, _count, AddressText.ReadCount);
        int dials = Read(parse, _dials, AddressText.ReadCount) ?? 1;
        if (dials > 1 && !once && count is null)
        {
            throw Usage.Error($"{_dials.Name} {dials} needs connections that end, and this one would stay.", "Add --once, or -c N.");
        }

        TimeSpan? timeout = _node.Timeout(parse);
        ServerlessTarget? address = parse.GetValue(_address) is { } text ? SettingText.Read(_address, _address.Name, text, PeerText.ReadServerless) : null;
        if (address is null)
        {
            Option? misplaced = new Option[] { _initiator, _skipTest, _attempts, _interval }.FirstOrDefault(o => parse.GetResult(o) is { Implicit: false });
            return misplaced is null
                ? new ConnectPlan.ThroughServer(PeerCall.ReadTarget(parse, _peer, _node)) { Once = once, Count = count, Dials = dials, Timeout = timeout }
                : throw Usage.Error($"{misplaced.Name} belongs to a connection without a server, and --peer is missing.", $"{misplaced.Name}: {misplaced.Description}");
        }

        if (dials > 1)
        {
            throw Usage.Error($"{_dials.Name} is for connections through a server: with --peer both people would have to begin again each time.", $"Leave out {_dials.Name}.");
        }

        if (parse.GetValue(_peer) is { } peer)
        {
            throw Usage.Error(
                $"{PeerCall.ArgumentName} '{peer}' and --peer exclude each other: the one is called through a server, the other without.",
                "Leave out one of them.");
        }

        var test = new PingPlan
        {
            Count = Read(parse, _attempts, AddressText.ReadCount) ?? new TraversalOptions().ServerlessAttempts,
            Interval = ReadInterval(parse) ?? new TraversalOptions().ServerlessInterval,
        };
        return new ConnectPlan.WithoutServer(address, DiscoverCommand.StunOf(_node, parse), parse.GetValue(_initiator), test.Interval)
        {
            Once = once,
            Count = count,
            Timeout = timeout,
            Test = parse.GetValue(_skipTest) ? null : test,
        };
    }

    private TimeSpan? ReadInterval(ParseResult parse) =>
        parse.GetValue(_interval) is { } text ? SettingText.Read(_interval, _interval.Name, text, DurationText.ReadWithUnit) : null;

    private static int? Read(ParseResult parse, Option<string?> option, TextReading<int> read) =>
        parse.GetValue(option) is { } text ? SettingText.Read(option, option.Name, text, read) : null;
}

/// <summary>What <c>gimlet connect</c> is to do.</summary>
internal abstract record ConnectPlan
{
    /// <summary>Ends after the first answer.</summary>
    public bool Once { get; init; }

    /// <summary>Ends after so many round trips.</summary>
    public int? Count { get; init; }

    /// <summary>So many connections, one after the other.</summary>
    public int Dials { get; init; } = 1;

    /// <summary>How long the dial may take.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The test of a path that was opened without a server; null for none.</summary>
    public PingPlan? Test { get; init; }

    /// <summary>What the node is to be like.</summary>
    /// <param name="options">As the line says.</param>
    public abstract GimletNodeOptions Adjust(GimletNodeOptions options);

    /// <summary>Dials.</summary>
    /// <param name="node">The node.</param>
    /// <param name="context">The command.</param>
    public abstract Task<Dialled> DialAsync(GimletNode node, CommandContext context);

    /// <summary>By peer id.</summary>
    /// <param name="Target">Whom.</param>
    internal sealed record ThroughServer(CallTarget Target) : ConnectPlan
    {
        /// <inheritdoc/>
        public override GimletNodeOptions Adjust(GimletNodeOptions options) => Target.Adjust(options);

        /// <inheritdoc/>
        public override Task<Dialled> DialAsync(GimletNode node, CommandContext context) => Dialer.DialAsync(
            (dialing, ct) => Target.DialAsync(node, Protocols.Echo, dialing, ct), call => new DialingEvent(Target.Peer.ToString(), call.ToString(), null), Timeout, context);
    }

    /// <summary>By address.</summary>
    /// <param name="Target">Where, and who is expected there.</param>
    /// <param name="Stun">STUN servers to keep the mapping known.</param>
    /// <param name="IsInitiator">This side chooses.</param>
    /// <param name="Interval">Between hellos.</param>
    internal sealed record WithoutServer(ServerlessTarget Target, IReadOnlyList<string> Stun, bool IsInitiator, TimeSpan Interval) : ConnectPlan
    {
        /// <inheritdoc/>
        public override GimletNodeOptions Adjust(GimletNodeOptions options) => options with
        {
            Servers = [],
            StunServers = Stun,

            // Nobody is told this node's address here: looking for a fallback would only delay the first hello.
            MetadataAddress = null,
            AllowLoopback = IPAddress.IsLoopback(Target.Address.Address) ? true : null,
        };

        /// <inheritdoc/>
        public override Task<Dialled> DialAsync(GimletNode node, CommandContext context)
        {
            var options = new ServerlessOptions { Interval = Interval, Timeout = Timeout, IsInitiator = IsInitiator };
            return Dialer.DialAsync(
                (dialing, ct) => node.ConnectAsync(Target.Address, Target.Peer, options, dialing, ct),
                call => new DialingEvent(Target.Peer?.ToString(), call.ToString(), Target.Address.ToString()),
                timeout: null,
                context);
        }
    }
}
