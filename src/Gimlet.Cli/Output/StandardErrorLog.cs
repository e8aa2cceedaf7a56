using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Gimlet.Cli.Output;

/// <summary>Log lines on standard error, one line each: time, level, category, text.</summary>
/// <param name="least">The least level that is written.</param>
internal sealed class StandardErrorLog(LogLevel least) : ILoggerFactory
{
    private const string Framework = "Microsoft.";

    // What the web server beneath has to say is for those who ask: what matters of it comes as an error of the command, without its stack trace.
    private LogLevel FrameworkLevel => least switch
    {
        LogLevel.Trace or LogLevel.Debug => least,
        LogLevel.Information => LogLevel.Warning,
        _ => LogLevel.None,
    };

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, categoryName.StartsWith(Framework, StringComparison.Ordinal) ? FrameworkLevel : least);

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The command line logs to standard error only.");

    /// <inheritdoc/>
    public void Dispose()
    {
        // Standard error belongs to the process.
    }

    private sealed class Logger(string category, LogLevel least) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

        [SuppressMessage("Globalization", "CA1303", Justification = "a log line")]
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                string cause = exception is null ? string.Empty : $" {exception}";
                Console.Error.WriteLine($"{DateTimeOffset.Now:HH:mm:ss.fff} {Word(logLevel)} {category}[{eventId.Id}] {formatter(state, exception)}{cause}");
            }
        }

        private static string Word(LogLevel level) => level switch
        {
            LogLevel.Trace => "trace",
            LogLevel.Debug => "debug",
            LogLevel.Information => "info ",
            LogLevel.Warning => "warn ",
            _ => "error",
        };
    }
}
