using System.CommandLine;
using System.CommandLine.Invocation;
using Gimlet.Cli.Output;
using Spectre.Console;

namespace Gimlet.Cli.CommandLine;

/// <summary>Writes <c>--help</c>.</summary>
internal sealed class HelpWriterAction : SynchronousCommandLineAction
{
    /// <summary>Help is shown whatever else is wrong with the line.</summary>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        HelpWriter.Write(parseResult.CommandResult.Command, Terminal.Output());
        return 0;
    }
}

/// <summary>Lays out help: usage, arguments, the command's own options, those it shares, examples.</summary>
internal static class HelpWriter
{
    // Wider lines are hard to read, whatever the terminal.
    private const int MaxWidth = 100;
    private const int Indent = 2;
    private const int Gap = 2;

    // Longer terms get a line of their own, so that the descriptions keep their width.
    private const int MaxTerm = 26;

    /// <summary>Writes the help of a command.</summary>
    /// <param name="command">Which.</param>
    /// <param name="console">Where to.</param>
    public static void Write(Command command, IAnsiConsole console)
    {
        if (command is GimletCommand known)
        {
            WriteCommand(known, console);
        }
        else
        {
            WriteRoot(command, console);
        }
    }

    private static void WriteRoot(Command root, IAnsiConsole console)
    {
        Paragraph(console, "gimlet", root.Description!);
        Heading(console, "Usage");
        Copyable(console, "gimlet COMMAND [arguments] [options]");
        Heading(console, "Commands");
        Terms(console, [.. root.Subcommands.Select(static c => (c.Name, c.Description ?? string.Empty))]);
        Heading(console, "Begin here");
        Examples(console, [
            new Example("gimlet demo", "a server and two nodes on this machine, step by step"),
            new Example("gimlet serve", "on a machine that both can reach"),
            new Example("gimlet listen --server http://gimlet.example.org:8080", "on the first machine; prints a ticket"),
            new Example("gimlet connect TICKET", "on the second machine"),
        ]);
        Paragraph(console, null, "Every command has --help. With --json a command prints one JSON object per line and nothing else.");
    }

    private static void WriteCommand(GimletCommand command, IAnsiConsole console)
    {
        Paragraph(console, $"gimlet {command.Name}", command.Description!);
        Heading(console, "Usage");
        foreach (string usage in command.Usages)
        {
            Copyable(console, $"gimlet {usage}");
        }

        foreach (string remark in command.Remarks)
        {
            Paragraph(console, null, remark);
        }

        if (command.Arguments.Count > 0)
        {
            Heading(console, "Arguments");
            Terms(console, [.. command.Arguments.Select(static a => (a.Name, a.Description ?? string.Empty))]);
        }

        OptionTerms(console, "Options", command.Options.Where(o => !command.CommonOptions.Contains(o)));
        OptionTerms(console, "Common options (each has an environment variable)", command.Options.Where(command.CommonOptions.Contains));
        Heading(console, "Examples");
        Examples(console, command.Examples);
    }

    private static void OptionTerms(IAnsiConsole console, string heading, IEnumerable<Option> options)
    {
        List<(string, string)> terms = [.. options.Where(static o => !o.Hidden).Select(static o => (Term(o), o.Description ?? string.Empty))];
        if (terms.Count > 0)
        {
            Heading(console, heading);
            Terms(console, terms);
        }
    }

    private static string Term(Option option)
    {
        string names = string.Join(", ", option.Aliases.Where(static a => a is ['-', not '-', ..]).Append(option.Name));
        return option.HelpName is { } value && option.Arity.MaximumNumberOfValues > 0 ? $"{names} {value}" : names;
    }

    private static void Heading(IAnsiConsole console, string text)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{text}[/]");
    }

    private static void Copyable(IAnsiConsole console, string line) => console.Profile.Out.Writer.WriteLine(new string(' ', Indent) + line);

    private static void Examples(IAnsiConsole console, IReadOnlyList<Example> examples)
    {
        foreach (Example example in examples)
        {
            Copyable(console, example.Line);
            console.MarkupLineInterpolated($"{new string(' ', Indent * 3)}[grey]{example.Purpose}[/]");
        }
    }

    private static void Paragraph(IAnsiConsole console, string? lead, string text)
    {
        if (lead is null)
        {
            console.WriteLine();
        }
        else
        {
            console.MarkupLineInterpolated($"[bold green]{lead}[/]");
        }

        foreach (string line in TextWrap.Wrap(text, Width(console)))
        {
            console.Profile.Out.Writer.WriteLine(line);
        }
    }

    private static void Terms(IAnsiConsole console, List<(string Term, string Text)> terms)
    {
        int column = Indent + Gap + terms.Select(static t => t.Term.Length).Where(static l => l <= MaxTerm).DefaultIfEmpty(MaxTerm).Max();
        string margin = new(' ', column);
        foreach ((string term, string text) in terms)
        {
            string first = new string(' ', Indent) + term;
            bool own = first.Length + Gap > column;
            if (own)
            {
                console.MarkupLineInterpolated($"[green]{first}[/]");
            }

            foreach (string line in TextWrap.Wrap(text, Width(console) - column).DefaultIfEmpty(string.Empty))
            {
                if (own)
                {
                    console.Profile.Out.Writer.WriteLine(margin + line);
                }
                else
                {
                    console.MarkupInterpolated($"[green]{first}[/]");
                    console.Profile.Out.Writer.WriteLine(new string(' ', column - first.Length) + line);
                    own = true;
                }
            }
        }
    }

    private static int Width(IAnsiConsole console) => Math.Min(console.Profile.Width, MaxWidth);
}
