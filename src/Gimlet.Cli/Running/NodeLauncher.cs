using Gimlet.Cli.Options;
using Gimlet.Cli.Output;

namespace Gimlet.Cli.Running;

/// <summary>Starts the node of a command: its key, its port, and what the line says.</summary>
internal static class NodeLauncher
{
    // What every command does with a connection.
    private static readonly Type[] FirstConnection =
        [typeof(ConnectionNews), typeof(Dialer), typeof(Dialled), typeof(Words), typeof(PeerCall), typeof(CallTarget), typeof(GimletConnection), typeof(RelayVerdict), typeof(ConnectionPath)];

    /// <summary>Starts a node.</summary>
    /// <param name="context">The command.</param>
    /// <param name="settings">Its options.</param>
    /// <param name="adjust">Changes what the line says, for the command's own reasons.</param>
    /// <param name="used">Types whose methods the command's first connection needs.</param>
    /// <exception cref="GimletException">An option is wrong, the key or the port cannot be had, or no server was reached.</exception>
    public static async Task<LaunchedNode> StartAsync(CommandContext context, NodeSettings settings, Func<GimletNodeOptions, GimletNodeOptions> adjust, params Type[] used)
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

            // What a dial and its first round trip need is paid for while the node registers.
            Task prepared = Task.Run(
                () =>
                {
                    context.Reporter.Prepare();
                    foreach (Type type in FirstConnection.Concat(used))
                    {
                        Preparation.Compile(type);
                    }
                },
                context.Interrupted);
            GimletNode node = await GimletNode.StartAsync(options, context.Interrupted).ConfigureAwait(false);
            await prepared.ConfigureAwait(false);
            _ = file?.TryWriteLastPort(Port(node));
            return new LaunchedNode(node, identity);
        }
        catch
        {
            identity.Dispose();
            throw;
        }
    }

    /// <summary>The local port that people are told: the one of IPv4, where there is one.</summary>
    /// <param name="node">The node.</param>
    public static int Port(GimletNode node) => node.LocalPorts.IPv4 != 0 ? node.LocalPorts.IPv4 : node.LocalPorts.IPv6;
}

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
