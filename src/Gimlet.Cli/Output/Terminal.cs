using System.Text;
using Spectre.Console;

namespace Gimlet.Cli.Output;

/// <summary>Consoles for people: coloured on a terminal, plain elsewhere and where <c>NO_COLOR</c> is set.</summary>
internal static class Terminal
{
    // A file or a pipe has no width: a line that is broken there is a line that grep misses.
    private const int NoWidth = 4096;

    /// <summary>Standard output.</summary>
    public static IAnsiConsole Output() => Create(Console.Out, Console.IsOutputRedirected);

    /// <summary>Standard error.</summary>
    public static IAnsiConsole Error() => Create(Console.Error, Console.IsErrorRedirected);

    /// <summary>A console that writes nowhere, to try things out.</summary>
    public static IAnsiConsole Nowhere() => Create(TextWriter.Null, isRedirected: true);

    private static IAnsiConsole Create(TextWriter writer, bool isRedirected)
    {
        // https://no-color.org: "when present and not an empty string (regardless of its value)".
        bool plain = isRedirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 };
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new TextOutput(writer, isRedirected),
            Ansi = plain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = isRedirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (isRedirected)
        {
            console.Profile.Width = NoWidth;
        }

        return console;
    }

    // Spectre's own output takes its width from the console even where the writer is something else.
    private sealed class TextOutput(TextWriter writer, bool isRedirected) : IAnsiConsoleOutput
    {
        private readonly AnsiConsoleOutput _inner = new AnsiConsoleOutput(writer);

        public TextWriter Writer => writer;

        public bool IsTerminal => !isRedirected;

        public int Width => isRedirected ? NoWidth : _inner.Width;

        public int Height => _inner.Height;

        public void SetEncoding(Encoding encoding) => _inner.SetEncoding(encoding);
    }
}
