using Spectre.Console;

namespace Gimlet.Cli.Output;

/// <summary>Text for people: news on standard output, errors on standard error.</summary>
/// <param name="output">Standard output.</param>
/// <param name="error">Standard error.</param>
internal sealed class HumanReporter(IAnsiConsole output, IAnsiConsole error) : IReporter
{
    private readonly Lock _gate = new();

    /// <inheritdoc/>
    public void Report(CliEvent news)
    {
        lock (_gate)
        {
            HumanText.Write(news is ErrorEvent or WarningEvent ? error : output, news);
        }
    }

    /// <inheritdoc/>
    public void Human(Action<IAnsiConsole> write)
    {
        lock (_gate)
        {
            write(output);
        }
    }

    /// <inheritdoc/>
    public IReporter Silent() => new HumanReporter(Terminal.Nowhere(), Terminal.Nowhere());

    /// <inheritdoc/>
    public void Dispose()
    {
        // The consoles belong to the process.
    }
}
