using System.CommandLine;
using System.CommandLine.Parsing;
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
        (string message, string hint) = Describe(parse);
        bool json = args.Contains(OutputSettings.JsonName, StringComparer.Ordinal) || OutputSettings.IsJsonInEnvironment;
        using IReporter reporter = OutputSettings.CreateReporter(json);
        return CommandHost.Fail(reporter, new GimletException(GimletErrorKind.BadUsage, message, hint));
    }

    private static (string Message, string Hint) Describe(ParseResult parse)
    {
        Command command = parse.CommandResult.Command;
        string name = command is RootCommand ? "gimlet" : $"gimlet {command.Name}";
        string help = $"See {name} --help.";
        if (parse.UnmatchedTokens.Count > 0)
        {
            string token = parse.UnmatchedTokens[0];
            if (token.StartsWith('-'))
            {
                return ($"{name} has no option '{token}'.", Suggest(token, command.Options.SelectMany(static o => o.Aliases.Append(o.Name)), help));
            }

            return command is RootCommand
                ? ($"'{token}' is not a command of gimlet.", Suggest(token, command.Subcommands.Select(static c => c.Name), $"It has {string.Join(", ", command.Subcommands.Select(static c => c.Name))}; see gimlet --help."))
                : ($"'{token}' is one argument too many for {name}.", command is GimletCommand known ? $"Write it as: gimlet {string.Join(", or gimlet ", known.Usages)}." : help);
        }

        ParseError error = parse.Errors[0];
        return error.SymbolResult switch
        {
            OptionResult { Tokens.Count: 0 } option => ($"{option.Option.Name} needs a value.", $"Write it as {option.Option.Name} {option.Option.HelpName}: {option.Option.Description}"),
            OptionResult option => ($"{option.Option.Name} takes one value, and there are {option.Tokens.Count}: {string.Join(", ", option.Tokens.Select(static t => t.Value))}.", $"Write it once, as {option.Option.Name} {option.Option.HelpName}."),
            CommandResult when command is RootCommand => ("A command is missing.", $"It has {string.Join(", ", command.Subcommands.Select(static c => c.Name))}; see gimlet --help."),
            _ => (error.Message, help),
        };
    }

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
