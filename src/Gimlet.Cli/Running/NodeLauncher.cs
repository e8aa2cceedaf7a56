using Gimlet.Cli.Options;
using Gimlet.Cli.Output;

namespace Gimlet.Cli.Running;

/// <summary>Starts the node of a command: its key, its port, and what the line says.</summary>
internal static class NodeLauncher
{
    // Three limits are known (docs/protocol.md section 6), for each of a few servers.
    private const int MaxLimits = 16;

    /// <summary>Starts a node.</summary>
    /// <param name="context">The command.</param>
    /// <param name="settings">Its options.</param>
    /// <param name="adjust">Changes what the line says, for the command's own reasons.</param>
    /// <param name="rehearse">What the command does with its first connection, given a node to dial with and one to be dialled; null where it dials nobody.</param>
    /// <exception cref="GimletException">An option is wrong, the key or the port cannot be had, or no server was reached.</exception>
    public static async Task<LaunchedNode> StartAsync(CommandContext context, NodeSettings settings, Func<GimletNodeOptions, GimletNodeOptions> adjust, CommandRehearsal? rehearse = null)
    {
        GimletNodeOptions options = adjust(settings.Read(context.Parse) with { Protocols = [Protocols.Echo] }) with { LoggerFactory = context.Log };
        KeyFile? file = settings.Key.File(context.Parse);
        NodeIdentity identity = file?.LoadOrCreate() ?? NodeIdentity.Create();
        try
        {
            bool anyPort = options.Port == 0;
            options = options with { Identity = identity, Port = anyPort ? file?.ReadLastPort() ?? 0 : options.Port, PortIsPreference = anyPort };

            if (options.Servers.Count > 0)
            {
                context.Reporter.Human(console => HumanText.Line(console, "grey", "server", string.Join(", ", options.Servers.Select(static s => s.OriginalString))));
            }

            if (rehearse is not null)
            {
                options = options with { Rehearse = (dialler, listener, ct) => RehearseAsync(rehearse, context, dialler, listener, ct) };
            }

            GimletNode node = await GimletNode.StartAsync(options, context.Interrupted).ConfigureAwait(false);
            node.RelayLimited += LimitTeller(context.Reporter);
            _ = file?.TryWriteLastPort(Port(node));
            return new LaunchedNode(node, identity);
        }
        catch
        {
            identity.Dispose();
            throw;
        }
    }

    // Once for each limit: which one it is and what would help is news, that it is hit again each second is not. The calls come one at a time.
    private static Action<RelayLimited> LimitTeller(IReporter reporter)
    {
        var told = new HashSet<(Uri Server, string Limit)>();
        return limited =>
        {
            // A server may invent names.
            if (told.Count < MaxLimits && told.Add((limited.Server, limited.Limit)))
            {
                reporter.Report(new WarningEvent($"{limited.Explanation} {limited.Hint}"));
            }
        };
    }

    // The first connection is to cost what the second one does: its code is compiled while the node registers.
    private static async Task RehearseAsync(CommandRehearsal rehearse, CommandContext context, GimletNode dialler, GimletNode listener, CancellationToken cancellationToken)
    {
        using IReporter silent = context.Reporter.Silent();
        await rehearse(context with { Reporter = silent, Interrupted = cancellationToken }, dialler, listener).ConfigureAwait(false);
    }

    /// <summary>The local port that people are told: the one of IPv4, where there is one.</summary>
    /// <param name="node">The node.</param>
    public static int Port(GimletNode node) => node.LocalPorts.IPv4 != 0 ? node.LocalPorts.IPv4 : node.LocalPorts.IPv6;
}

/// <summary>What a command does with its first connection.</summary>
/// <param name="context">The command, with a reporter that tells nobody.</param>
/// <param name="dialler">The node to dial with.</param>
/// <param name="listener">The node that is dialled.</param>
internal delegate Task CommandRehearsal(CommandContext context, GimletNode dialler, GimletNode listener);

/// <summary>A node and the key that it borrows.</summary>
/// <param name="Node">The node.</param>
/// <param name="Identity">Its key.</param>
internal sealed record LaunchedNode(GimletNode Node, NodeIdentity Identity) : IAsyncDisposable
{
    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync().ConfigureAwait(false);
        Identity.Dispose();
    }
}
