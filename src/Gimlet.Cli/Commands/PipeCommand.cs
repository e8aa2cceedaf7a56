using System.CommandLine;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Options;
using Gimlet.Cli.Output;
using Gimlet.Cli.Running;

namespace Gimlet.Cli.Commands;

/// <summary><c>gimlet pipe</c>: standard input to the peer's standard output, and back. Whatever is told goes to standard error.</summary>
internal sealed class PipeCommand
{
    /// <summary>Its name.</summary>
    public const string Name = "pipe";

    private readonly NodeSettings _node = new();
    private readonly OutputSettings _output = new() { IsOutputTaken = static _ => true };
    private readonly AccessSettings _access = new();
    private readonly Argument<string?> _peer = PeerCall.CreateArgument();
    private readonly Option<bool> _listen = Usage.Flag("--listen", "Waits for one peer, which connects with what is printed on standard error.");

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var self = new PipeCommand();
        var command = new GimletCommand(Name, "Standard input to the peer's standard output and back, as netcat does it.")
        {
            Usages = ["pipe --listen [options]", "pipe PEER [options]"],
            Remarks =
            [
                "Either side's end of input ends the other side's output, and the other direction goes on. It ends with 0 when both ends were reached and each side's "
                + "standard output has taken everything. Standard output carries nothing but the bytes; events go to standard error.",
            ],
            Examples =
            [
                new Example("gimlet pipe --listen --once-ticket --server https://gimlet.example.org > copy.tar", "waits, and takes what comes"),
                new Example("tar c folder | gimlet pipe gimlet1...", "sends it there, with the ticket that the other side printed"),
            ],
        };
        command.Add(self._peer);
        command.Add(self._listen);
        self._access.AddTo(command);
        self._node.AddTo(command);
        self._output.AddTo(command);
        command.SetAction((parse, _) => CommandHost.RunAsync(parse, self._output, self.RunAsync, self._node.IsDirectRequired));
        return command;
    }

    private Task<int> RunAsync(CommandContext context)
    {
        if (!context.Parse.GetValue(_listen))
        {
            return _access.Typed(context.Parse) is not { } misplaced
                ? DialAsync(context)
                : throw Usage.Error($"{misplaced} says who may connect, and this side connects.", "Add --listen in place of the peer, or leave it out.");
        }

        if (context.Parse.GetValue(_peer) is { } peer)
        {
            throw Usage.Error($"{PeerCall.ArgumentName} '{peer}' and --listen exclude each other: one side waits, the other calls it.", "Leave out one of them.");
        }

        return _node.Servers(context.Parse).Count > 0
            ? ListenAsync(context)
            : throw Usage.Error("pipe --listen needs a server, through which the peer finds this node.", "Name one with --server URL or GIMLET_SERVER.");
    }

    private async Task<int> DialAsync(CommandContext context)
    {
        CallTarget target = PeerCall.ReadTarget(context.Parse, _peer, _node);
        LaunchedNode launched = await NodeLauncher.StartAsync(
            context, _node, options => target.Adjust(options) with { Protocols = [Protocols.Pipe] }, RehearseAsync).ConfigureAwait(false);
        await using (launched.ConfigureAwait(false))
        {
            Dialled dialled = await Dialer.DialAsync(
                (dialing, ct) => target.DialAsync(launched.Node, Protocols.Pipe, dialing, ct), dialing: null, _node.Timeout(context.Parse), context).ConfigureAwait(false);
            return await TransferAsync(dialled.Connection, StandardStreams.Open("gimlet pipe"), context).ConfigureAwait(false);
        }
    }

    private async Task<int> ListenAsync(CommandContext context)
    {
        PeerAccess access = _access.Read(context.Parse);
        LaunchedNode launched = await NodeLauncher.StartAsync(
            context, _node, options => options with { Policy = access.Policy, Protocols = [Protocols.Pipe] }, RehearseAsync).ConfigureAwait(false);
        await using (launched.ConfigureAwait(false))
        {
            var listening = new ListeningEvent(launched.Node.Id.ToString(), access.IssueBy(launched.Node).ToString());
            context.Reporter.Human(console => HumanText.Raw(console, $"gimlet pipe {listening.Ticket}"));
            context.Reporter.Report(listening);
            GimletConnection connection = await launched.Node.AcceptAsync(Protocols.Pipe, context.Interrupted).ConfigureAwait(false);
            using var done = CancellationTokenSource.CreateLinkedTokenSource(context.Interrupted);
            Task others = TurnAwayAsync(launched.Node, done.Token);
            try
            {
                return await TransferAsync(connection, StandardStreams.Open("gimlet pipe"), context).ConfigureAwait(false);
            }
            finally
            {
                await done.CancelAsync().ConfigureAwait(false);
                await others.ConfigureAwait(false);
            }
        }
    }

    private static async Task RehearseAsync(CommandContext context, GimletNode dialler, GimletNode listener)
    {
        Task<GimletConnection> accepting = listener.AcceptAsync(Protocols.Pipe, context.Interrupted);
        Dialled dialled = await Dialer.DialAsync(
            (dialing, ct) => new CallTarget(listener.Id, []).DialAsync(dialler, Protocols.Pipe, dialing, ct), dialing: null, timeout: null, context).ConfigureAwait(false);
        _ = await Task.WhenAll(
            TransferAsync(dialled.Connection, new OneByteEnd(), context),
            TransferAsync(await accepting.ConfigureAwait(false), new OneByteEnd(), context)).ConfigureAwait(false);
    }

    private static async Task<int> TransferAsync(GimletConnection connection, IPipeEnd end, CommandContext context)
    {
        _ = ConnectionNews.Tell(connection, context.Reporter, namePeer: false).WatchAsync();
        var transfer = new PipeTransfer(connection, end, Name);
        try
        {
            await transfer.RunAsync(context.Interrupted).ConfigureAwait(false);
            return ExitCodes.Success;
        }
        finally
        {
            await connection.CloseAsync().ConfigureAwait(false);
            context.Reporter.Report(new PipeClosedEvent(await connection.Closed.ConfigureAwait(false), transfer.SentBytes, transfer.ReceivedBytes));
        }
    }

    // Who comes while another one is served is not left waiting.
    private static async Task TurnAwayAsync(GimletNode node, CancellationToken done)
    {
        try
        {
            while (true)
            {
                GimletConnection late = await node.AcceptAsync(Protocols.Pipe, done).ConfigureAwait(false);
                await late.CloseAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The one that was served is done.
        }
    }
}
