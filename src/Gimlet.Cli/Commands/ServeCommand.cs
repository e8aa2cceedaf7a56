using System.CommandLine;
using System.Globalization;
using System.Net;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Options;
using Gimlet.Cli.Output;
using Gimlet.Cli.Running;
using Gimlet.Server;
using Spectre.Console;

namespace Gimlet.Cli.Commands;

/// <summary><c>gimlet serve</c>: rendezvous, relay and STUN.</summary>
internal sealed class ServeCommand
{
    private readonly ServeSettings _serve = new();
    private readonly OutputSettings _output = new();

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var self = new ServeCommand();
        var command = new GimletCommand("serve", "Runs the server through which nodes find each other, until Ctrl+C. Everything is in memory.")
        {
            Usages = ["serve [options]"],
            Examples =
            [
                new Example("gimlet serve --name gimlet.example.org", "HTTP on port 8080, STUN on UDP 3478 and 3479, for everyone"),
                new Example(
                    "gimlet serve --name gimlet.example.org --https :443 --cert cert.pem --cert-key key.pem",
                    "HTTPS; new certificates are taken up as they come"),
                new Example("GIMLET_TOKEN=... gimlet serve --access token", "for those who have the token; nodes pass it with --server-token"),
                new Example("GIMLET_WORKER_TOKEN=... gimlet serve --workers", "workers in containers and functions are introduced to each other as well"),
                new Example("gimlet serve --http 127.0.0.1:8080 --trusted-proxy 127.0.0.1", "behind a proxy on the same machine"),
            ],
        };
        self._serve.AddTo(command);
        self._output.AddTo(command);
        command.SetAction((parse, _) => CommandHost.RunAsync(parse, self._output, self.RunAsync));
        return command;
    }

    /// <summary>Starts a server; what it cannot do becomes an error of the command line.</summary>
    /// <param name="options">How it is to be.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="GimletException">An option is wrong, a port is in use, a file cannot be read.</exception>
    public static async Task<GimletServer> StartAsync(GimletServerOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await GimletServer.StartAsync(options, cancellationToken).ConfigureAwait(false);
        }
        catch (ArgumentException e)
        {
            throw BadOption(e);
        }
        catch (ServerStartException e)
        {
            throw new GimletException(GimletErrorKind.LocalFault, e.Message, e.Hint, e);
        }
    }

    private async Task<int> RunAsync(CommandContext context)
    {
        GimletServerOptions options;
        try
        {
            options = _serve.Read(context.Parse) with { LoggerFactory = context.Log };
        }
        catch (ArgumentException e)
        {
            throw BadOption(e);
        }

        try
        {
            GimletServer server = await StartAsync(options, context.Interrupted).ConfigureAwait(false);
            await using (server.ConfigureAwait(false))
            {
                var ready = new ReadyEvent(
                    Url(server, Uri.UriSchemeHttp),
                    Url(server, Uri.UriSchemeHttps),
                    server.StunEndPoints.Count > 0 ? server.StunEndPoints[0].ToString() : null,
                    Alternate(server),
                    server.AccessDescription);
                context.Reporter.Human(console => Welcome(console, ready, options));
                context.Reporter.Report(ready);
                await Task.Delay(Timeout.InfiniteTimeSpan, context.Interrupted).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (context.Interrupted.IsCancellationRequested)
        {
            // Being asked to end is how serving ends; the nodes have been told.
        }

        return ExitCodes.Success;
    }

    // The server's options say what is wrong; the name of a parameter, which the framework appends, means nothing here.
    private static GimletException BadOption(ArgumentException e)
    {
        int parameter = e.ParamName is null ? -1 : e.Message.LastIndexOf(" (Parameter", StringComparison.Ordinal);
        return new GimletException(GimletErrorKind.BadUsage, parameter < 0 ? e.Message : e.Message[..parameter], "See gimlet serve --help.", e);
    }

    private static string? Url(GimletServer server, string scheme) => server.HttpUrls.FirstOrDefault(u => u.Scheme == scheme)?.GetLeftPart(UriPartial.Authority);

    // A URL that a node on another machine could use, as far as this one can know.
    private static string Example(ReadyEvent ready, IReadOnlyList<string> names)
    {
        var url = new UriBuilder(ready.Https ?? ready.Http!);
        bool every = IPAddress.TryParse(url.Host.Trim('[', ']'), out IPAddress? address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));
        string host = names.Count > 0 ? names[0].Split(':')[0] : every ? "HOST" : url.Host;
        return url.Uri.IsDefaultPort ? $"{url.Scheme}://{host}" : $"{url.Scheme}://{host}:{url.Port}";
    }

    private static string? Alternate(GimletServer server)
    {
        foreach (Sockets.TransportAddress address in server.StunEndPoints)
        {
            if (address.Port != server.StunEndPoints[0].Port)
            {
                return address.ToString();
            }
        }

        return null;
    }

    private static string RelayText(GimletServerOptions options) => options switch
    {
        { Relay: false } => "off",
        { Limits.RelayBytesPerSecond: 0 } => "without a limit",
        _ => string.Create(CultureInfo.InvariantCulture, $"{options.Limits.RelayBytesPerSecond / 1000:N0} kB/s for each node (--relay-rate for another)"),
    };

    private static void Welcome(IAnsiConsole console, ReadyEvent ready, GimletServerOptions options)
    {
        IReadOnlyList<string> names = options.Names;
        var lines = new List<(string Word, string Text)>();
        void Add(string word, string? text)
        {
            if (text is not null)
            {
                lines.Add((word, text));
            }
        }

        Add("HTTP", ready.Http);
        Add("HTTPS", ready.Https);
        Add("STUN", ready.Stun is null ? "off" : $"UDP {ready.Stun}{(ready.StunAlt is null ? string.Empty : $" and {ready.StunAlt}")}");
        Add("relay", RelayText(options));
        Add("workers", options.Workers is null ? null : WorkersSettings.Describe(options.Workers));
        Add("names", names.Count > 0 ? string.Join(", ", names) : "this machine's addresses and localhost (--name for others)");
        Add("access", ready.Access);
        if (!console.Profile.Out.IsTerminal)
        {
            foreach ((string word, string text) in lines)
            {
                HumanText.Line(console, "green", word, text);
            }

            return;
        }

        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        foreach ((string word, string text) in lines)
        {
            _ = grid.AddRow(new Markup($"[green]{word}[/]"), new Text(text));
        }

        console.Write(new Panel(grid).Header(" gimlet serve ").RoundedBorder());
        HumanText.Raw(console, $"Nodes use it with --server {Example(ready, names)}");
        HumanText.Raw(console, "Ready. Ctrl+C ends; nodes are told, and come back when it does.");
    }
}
