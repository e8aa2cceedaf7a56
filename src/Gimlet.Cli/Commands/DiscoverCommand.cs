using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Options;
using Gimlet.Cli.Output;
using Gimlet.Cli.Running;
using Gimlet.Stun.Client;
using Gimlet.Stun.Discovery;
using Microsoft.Extensions.Logging;

namespace Gimlet.Cli.Commands;

/// <summary><c>gimlet discover</c>: the public address of this node's port, as every STUN server sees it.</summary>
internal sealed class DiscoverCommand
{
    // What lies beyond the library's own bounds is a bug; the command must end all the same.
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(2);

    private readonly NodeSettings _node = new();
    // What became of the STUN servers is told as events: the node's warnings about them would say it twice.
    private readonly OutputSettings _output = new() { Default = LogLevel.Error };
    private readonly FlagSetting _nat = new("--nat", "Also finds out what the NAT does, which takes up to five seconds more.");

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var self = new DiscoverCommand();
        var command = new GimletCommand("discover", "Finds the public address of this node's port, to hand to somebody who connects without a server.")
        {
            Usages = ["discover [options]"],
            Remarks =
            [
                "Asks every STUN server that is named, or port 3478 of every --server. Where none answers: --public-address, then the cloud's metadata service "
                + "(GIMLET_METADATA_URL, or off), then the local address. The port is kept for the next command that uses the same key.",
            ],
            Examples =
            [
                new Example("gimlet discover --stun stun.example.org", "the line to hand over, and what the other side runs"),
                new Example("gimlet discover --nat --server https://gimlet.example.org", "also what the NAT does"),
            ],
        };
        command.Add(self._nat.Option);
        self._node.AddTo(command);
        self._output.AddTo(command);
        command.SetAction((parse, _) => CommandHost.RunAsync(parse, self._output, self.RunAsync));
        return command;
    }

    /// <summary>The STUN servers of a node that does not register: those of the line, or those beside its servers.</summary>
    /// <param name="settings">The options.</param>
    /// <param name="parse">The line.</param>
    public static IReadOnlyList<string> StunOf(NodeSettings settings, ParseResult parse) =>
        settings.Stun(parse) is { Count: > 0 } named
            ? named
            : [.. settings.Servers(parse).Select(static s => $"{s.Host}:{StunServerAddress.DefaultPort}").Distinct(StringComparer.Ordinal)];

    private async Task<int> RunAsync(CommandContext context)
    {
        IReadOnlyList<string> stun = StunOf(_node, context.Parse);
        TimeSpan? timeout = _node.Timeout(context.Parse);
        bool wantsNat = _nat.Get(context.Parse);
        var traversal = new TraversalOptions();
        traversal = traversal with { ReflexTimeout = timeout ?? traversal.ReflexTimeout };
        LaunchedNode launched = await NodeLauncher.StartAsync(context, _node, options => options with
        {
            Servers = [],
            StunServers = stun,
            Traversal = traversal,
            AllowLoopback = stun.Count > 0 && stun.All(IsLoopback) ? true : null,
        }).ConfigureAwait(false);
        await using (launched.ConfigureAwait(false))
        {
            GimletNode node = launched.Node;
            _ = await WaitAsync(node.WaitForGatheringAsync, traversal.ReflexTimeout + traversal.MetadataTimeout, context.Interrupted).ConfigureAwait(false);
            string? address = Tell(node, context.Reporter);
            if (wantsNat)
            {
                await TellNatAsync(node, traversal, context).ConfigureAwait(false);
            }

            if (_node.Key.File(context.Parse) is null)
            {
                context.Reporter.Report(new WarningEvent("The key of this run is gone when it ends (--ephemeral): nobody can be met at this address under this id."));
            }
            else if (address is not null)
            {
                context.Reporter.Human(console => TellNextStep(console, address));
            }
        }

        return ExitCodes.Success;
    }

    // Returns what to hand over.
    private static string? Tell(GimletNode node, IReporter reporter)
    {
        PublicAddress known = node.PublicAddress;
        IReadOnlyList<StunServerResult> results = node.StunResults;
        string? address = known.Address.IsEmpty ? null : $"{known.Address}#{node.Id}";
        if (known.Source != PublicAddressSource.Stun)
        {
            reporter.Report(new DiscoveredEvent(
                known.Address.IsEmpty ? null : known.Address.ToString(),
                LocalAddress(known, NodeLauncher.Port(node)),
                Server: null,
                RttMs: null,
                Words.Of(known.Source),
                address,
                Explain(known, results)));
        }

        foreach (StunServerResult result in results)
        {
            reporter.Report(result.Outcome == StunOutcome.Answered
                ? new DiscoveredEvent(
                    result.MappedAddress.ToString(),
                    result.LocalAddress.IsEmpty ? null : result.LocalAddress.ToString(),
                    result.Target.Server.ToString(),
                    Words.Milliseconds(result.RoundTrip),
                    Words.Of(PublicAddressSource.Stun),
                    $"{result.MappedAddress}#{node.Id}",
                    Explanation: null)
                : new StunFailedEvent(result.Target.Server.ToString(), Words.Of(result.Outcome), result.Detail));
        }

        return address;
    }

    private static string Explain(PublicAddress known, IReadOnlyList<StunServerResult> results) => known.Source == PublicAddressSource.CloudMetadata
        ? $"no STUN server {(results.Count == 0 ? "was named" : "answered")}; {known.Explanation}"
        : known.Explanation;

    private static async Task TellNatAsync(GimletNode node, TraversalOptions traversal, CommandContext context)
    {
        bool classified = await WaitAsync(node.WaitForNatAsync, traversal.ClassificationDeadline, context.Interrupted).ConfigureAwait(false);
        context.Reporter.Report(classified && node.Nat is { } nat
            ? new NatEvent(nat.FriendlyName, Words.Of(nat.Mapping), Words.Of(nat.Filtering), nat.Evidence)
            : new NatEvent(
                NatType.Unknown.ToFriendlyName(),
                Words.Of(MappingBehavior.Unknown),
                Words.Of(FilteringBehavior.Unknown),
                "No STUN server answered: there is nothing to tell it by."));
    }

    private static void TellNextStep(Spectre.Console.IAnsiConsole console, string address)
    {
        HumanText.Raw(console, string.Empty);
        HumanText.Raw(console, "Give this to the other person:");
        HumanText.Raw(console, string.Empty);
        HumanText.Raw(console, address);
        HumanText.Raw(console, string.Empty);
        HumanText.Raw(console, "They run");
        HumanText.Raw(console, string.Empty);
        HumanText.Raw(console, $"gimlet connect --peer {address}");
        HumanText.Raw(console, string.Empty);
        HumanText.Raw(console, "and you run the same with theirs, within ten seconds of each other.");
    }

    private static async Task<bool> WaitAsync(Func<CancellationToken, Task> wait, TimeSpan limit, CancellationToken interrupted)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(interrupted);
        bound.CancelAfter(limit + Slack);
        try
        {
            await wait(bound.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!interrupted.IsCancellationRequested)
        {
            return false;
        }
    }

    private static bool IsLoopback(string stun) =>
        StunServerAddress.TryParse(stun, out StunServerAddress? server, out _)
        && (server.TryGetAddress(out Sockets.TransportAddress address)
            ? address.IsLoopback
            : string.Equals(server.Host, "localhost", StringComparison.OrdinalIgnoreCase));

    // The address that a route to the internet would leave from: connecting a UDP socket asks the routing table and sends nothing.
    private static string LocalAddress(PublicAddress known, int port)
    {
        if (known.Source == PublicAddressSource.Local && !known.Address.IsEmpty)
        {
            return known.Address.ToString();
        }

        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(new IPEndPoint(new IPAddress([192, 0, 2, 1]), 9));
            return new IPEndPoint(((IPEndPoint)socket.LocalEndPoint!).Address, port).ToString();
        }
        catch (SocketException)
        {
            // No route at all: the socket is bound to every address, and that is all there is to say.
            return new IPEndPoint(IPAddress.Any, port).ToString();
        }
    }
}
