using System.CommandLine;
using System.CommandLine.Parsing;
using Gimlet.Cli.Commands;
using Gimlet.Cli.Options;
using Gimlet.Cli.Output;
using Gimlet.Cli.Running;

namespace Gimlet.Cli.CommandLine;

/// <summary>Says which part of a line is wrong, why, and what would be right.</summary>
internal static class ParseProblems
{
    // Two slips of the finger; more is another word.
    private const int MaxDistance = 2;

    /// <summary>Reports the first problem of a line that cannot be run.</summary>
    /// <param name="parse">The line as far as it was understood.</param>
    /// <param name="args">The line.</param>
    /// <returns>The exit code.</returns>
    public static int Report(ParseResult parse, string[] args)
    {
        bool json = args.Contains(OutputSettings.JsonName, StringComparer.Ordinal) || OutputSettings.IsJsonInEnvironment;
        using IReporter reporter = OutputSettings.CreateReporter(json, isOutputTaken: parse.CommandResult.Command.Name == PipeCommand.Name || WorkerCommand.TakesOutput(args));
        return CommandHost.Fail(reporter, Describe(parse));
    }

    /// <summary>The error of an option that a command does not have.</summary>
    /// <param name="command">The command.</param>
    /// <param name="token">What was typed.</param>
    public static GimletException UnknownOption(Command command, string token)
    {
        IEnumerable<string> known = command.Options.SelectMany(static o => o.Aliases.Append(o.Name));
        return Usage.Error($"{Name(command)} has no option '{token}'.", Suggest(token, known, $"See {Name(command)} --help."));
    }

    private static string Name(Command command) => command is RootCommand ? "gimlet" : $"gimlet {command.Name}";

    private static GimletException Describe(ParseResult parse)
    {
        Command command = parse.CommandResult.Command;
        if (command is RootCommand)
        {
            // Options belong to commands: the word that should have been one decides.
            string? word = parse.UnmatchedTokens.FirstOrDefault(static t => !t.StartsWith('-'));
            return word is null ? Usage.Error("A command is missing.", $"It has {Commands(command)}; see gimlet --help.") : UnknownCommand(command, word);
        }

        if (parse.UnmatchedTokens.Count > 0)
        {
            // An option that is not known passes for the argument, and what is too many is what comes after it.
            string? option = parse.CommandResult.Tokens.Select(static t => t.Value).Concat(parse.UnmatchedTokens).FirstOrDefault(static t => t.StartsWith('-'));
            return option is null ? TooMany(command, parse.UnmatchedTokens[0]) : UnknownOption(command, option);
        }

        ParseError error = parse.Errors[0];
        return error.SymbolResult switch
        {
            OptionResult { Tokens.Count: 0 } missing => Usage.Error(
                $"{missing.Option.Name} needs a value.",
                $"Write it as {missing.Option.Name} {missing.Option.HelpName}: {missing.Option.Description}"),
            OptionResult several => Usage.Error(
                $"{several.Option.Name} takes one value, and there are {several.Tokens.Count}: {string.Join(", ", several.Tokens.Select(static t => t.Value))}.",
                $"Write it once, as {several.Option.Name} {several.Option.HelpName}."),
            _ => Usage.Error(error.Message, $"See {Name(command)} --help."),
        };
    }

    private static GimletException UnknownCommand(Command root, string token) => Usage.Error(
        $"'{token}' is not a command of gimlet.",
        Suggest(token, root.Subcommands.Select(static c => c.Name), $"It has {Commands(root)}; see gimlet --help."));

    private static GimletException TooMany(Command command, string token) => Usage.Error(
        $"'{token}' is one argument too many for {Name(command)}.",
        command is GimletCommand known ? $"Write it as: {string.Join(", or ", known.Usages.Select(static u => $"gimlet {u}"))}." : $"See {Name(command)} --help.");

    private static string Commands(Command command) => string.Join(", ", command.Subcommands.Select(static c => c.Name));

    private static string Suggest(string token, IEnumerable<string> known, string otherwise)
    {
        (string Name, int Distance) best = known.Select(k => (Name: k, Distance: Distance(token, k))).MinBy(static k => k.Distance);
        return best.Name is not null && best.Distance <= MaxDistance ? $"Did you mean {best.Name}?" : otherwise;
    }

    // Levenshtein's distance, one row at a time.
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitution, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
