using System.CommandLine;
using Gimlet.Cli.Options;
using Gimlet.Cli.Output;

namespace Gimlet.Cli.Running;

/// <summary>What a running command has at hand.</summary>
/// <param name="Parse">Its line.</param>
/// <param name="Reporter">Where it tells what happens.</param>
/// <param name="Log">Where log lines go.</param>
/// <param name="Interrupted">Cancelled by Ctrl+C and SIGTERM.</param>
internal sealed record CommandContext(ParseResult Parse, IReporter Reporter, StandardErrorLog Log, CancellationToken Interrupted);

/// <summary>Runs the body of a command: signals, output, and errors that become an event and an exit code.</summary>
internal static class CommandHost
{
    private const string InterruptedKind = "interrupted";
    private const string BugKind = "internal-error";

    /// <summary>Runs a command.</summary>
    /// <param name="parse">Its line.</param>
    /// <param name="settings">How it talks.</param>
    /// <param name="body">What it does; returns the exit code.</param>
    /// <param name="isDirectRequired">Tells whether the line accepts no relayed path; null for commands that have none.</param>
    public static async Task<int> RunAsync(
        ParseResult parse, OutputSettings settings, Func<CommandContext, Task<int>> body, Func<ParseResult, bool>? isDirectRequired = null)
    {
        IReporter reporter = OutputSettings.CreateReporter(OutputSettings.IsJsonProbably(parse), settings.IsOutputTaken(parse));
        using var interruption = new Interruption();
        try
        {
            _ = settings.IsJson(parse);
            using var log = new StandardErrorLog(settings.Level(parse));
            return await body(new CommandContext(parse, reporter, log, interruption.Requested)).ConfigureAwait(false);
        }
        catch (GimletException e)
        {
            // Asked only where it matters: the line has been read without an error by then.
            return Fail(reporter, e, e.Kind == GimletErrorKind.Unsupported && isDirectRequired?.Invoke(parse) == true);
        }
        catch (OperationCanceledException) when (interruption.Requested.IsCancellationRequested)
        {
            reporter.Report(new ErrorEvent(InterruptedKind, "Interrupted before it was done.", "Run it again."));
            return ExitCodes.Other;
        }
        catch (Exception e)
        {
            // Whatever has no kind is a bug of this program; a script still gets its event, and a report needs the whole story.
            reporter.Report(new ErrorEvent(BugKind, $"{e.GetType().Name}: {e.Message}", "This is a bug in Gimlet; please report it with what is on standard error."));
            await Console.Error.WriteLineAsync(e.ToString()).ConfigureAwait(false);
            return ExitCodes.Other;
        }
        finally
        {
            reporter.Dispose();
        }
    }

    /// <summary>Tells an error.</summary>
    /// <param name="reporter">Where to.</param>
    /// <param name="error">The error.</param>
    /// <param name="isDirectRequired">Only a direct path would have done.</param>
    /// <returns>The exit code.</returns>
    public static int Fail(IReporter reporter, GimletException error, bool isDirectRequired = false)
    {
        reporter.Report(new ErrorEvent(error.Kind.ToKindString(), error.Message, error.Hint));
        return ExitCodes.Of(error.Kind, isDirectRequired);
    }
}
