using System.CommandLine;
using System.CommandLine.Help;
using Gimlet.Cli.Commands;
using Gimlet.Cli.Output;
using Gimlet.Cli.Running;

namespace Gimlet.Cli.CommandLine;

/// <summary>The whole command line: parses, and runs what was parsed.</summary>
internal static class GimletCommandLine
{
    // An argument that begins with @ is an argument: a peer's text must never name a file to be read.
    private static readonly ParserConfiguration Parsing = new() { ResponseFileTokenReplacer = null };

    // Exceptions become error events in CommandHost, and signals are Interruption's.
    private static readonly InvocationConfiguration Invocation = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };

    /// <summary>Runs one command.</summary>
    /// <param name="args">The arguments of the process.</param>
    /// <returns>The exit code, see <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        RootCommand root = Create();
        ParseResult parse = root.Parse(args, Parsing);
        if (parse.Errors.Count > 0 && parse.Action is not { ClearsParseErrors: true })
        {
            if (parse.CommandResult.Command == root && args.Length == 0)
            {
                HelpWriter.Write(root, Terminal.Output());
                return ExitCodes.Success;
            }

            return ParseProblems.Report(parse, args);
        }

        return await parse.InvokeAsync(Invocation).ConfigureAwait(false);
    }

    private static RootCommand Create()
    {
        var root = new RootCommand("Connects two machines that sit behind NATs: no configuration, no port forwarding, authenticated by their keys.")
        {
            DemoCommand.Create(),
            IdCommand.Create(),
            ServeCommand.Create(),
            ListenCommand.Create(),
            ConnectCommand.Create(),
            PingCommand.Create(),
            PipeCommand.Create(),
            WorkerCommand.Create(),
            BenchCommand.Create(),
            DiscoverCommand.Create(),
        };
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Description = "Shows this.";
        help.Action = new HelpWriterAction();
        root.Options.OfType<VersionOption>().Single().Description = "Prints the version.";
        return root;
    }
}
