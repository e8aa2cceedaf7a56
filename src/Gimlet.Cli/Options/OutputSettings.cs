using System.CommandLine;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Output;
using Microsoft.Extensions.Logging;

namespace Gimlet.Cli.Options;

/// <summary>The options that every command has: <c>--json</c> and <c>-v</c>.</summary>
internal sealed class OutputSettings
{
    /// <summary>The option that turns standard output into events.</summary>
    public const string JsonName = "--json";

    private const string VerboseName = "--verbose";

    private readonly FlagSetting _json = new(JsonName, "One JSON object per line on standard output (on standard error where that is taken by data), and nothing else there.");
    private readonly Option<bool> _verbose = new(VerboseName, "-v")
    {
        Description = "More log lines on standard error: -v what happens, -vv details, -vvv everything. GIMLET_VERBOSE=1, 2 or 3.",
        Arity = ArgumentArity.Zero,
    };

    /// <summary>The least level that is logged when nobody asks for more.</summary>
    public LogLevel Default { get; init; } = LogLevel.Warning;

    /// <summary>Whether standard output carries the command's own bytes: events and text then go to standard error.</summary>
    public Func<ParseResult, bool> IsOutputTaken { get; init; } = static _ => false;

    /// <summary>True when the environment asks for JSON; anything but a clear yes is no here, for this is read to report errors.</summary>
    public static bool IsJsonInEnvironment => EnvironmentNames.Read([EnvironmentNames.Of(JsonName)])?.Value.ToUpperInvariant() is "1" or "TRUE" or "YES" or "ON";

    /// <summary>Makes the reporter of a process.</summary>
    /// <param name="json">Events instead of text.</param>
    /// <param name="isOutputTaken">Standard output is for something else, and is not touched: whoever opens it here keeps it open.</param>
    public static IReporter CreateReporter(bool json, bool isOutputTaken) => (json, isOutputTaken) switch
    {
        (true, false) => new JsonReporter(Console.OpenStandardOutput()),
        (true, true) => new JsonReporter(Console.OpenStandardError()),
        (false, false) => new HumanReporter(Terminal.Output(), Terminal.Error()),
        (false, true) => new HumanReporter(Terminal.Error(), Terminal.Error()),
    };

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    public void AddTo(GimletCommand command)
    {
        foreach (Option option in new Option[] { _json.Option, _verbose })
        {
            command.Add(option);
            _ = command.CommonOptions.Add(option);
        }
    }

    /// <summary>Whether standard output carries events.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">The environment variable is wrong.</exception>
    public bool IsJson(ParseResult parse) => _json.Get(parse);

    /// <summary>Whether events are wanted, as far as can be told; never throws.</summary>
    /// <param name="parse">The line.</param>
    public static bool IsJsonProbably(ParseResult parse) => parse.Tokens.Any(static t => t.Value == JsonName) || IsJsonInEnvironment;

    /// <summary>The least level that is logged.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">The environment variable is wrong.</exception>
    public LogLevel Level(ParseResult parse)
    {
        int times = parse.GetResult(_verbose)?.IdentifierTokenCount ?? 0;
        if (times == 0 && EnvironmentNames.Read([EnvironmentNames.Of(VerboseName)]) is { } found)
        {
            times = SettingText.Read(_verbose, found.Name, found.Value, ReadLevel);
        }

        return times switch
        {
            // Where events are on standard error, a log line among them comes only if it was asked for.
            0 => IsOutputTaken(parse) && IsJson(parse) ? LogLevel.None : Default,
            1 => LogLevel.Information,
            2 => LogLevel.Debug,
            _ => LogLevel.Trace,
        };
    }

    private static int ReadLevel(string text) => text is ['0' or '1' or '2' or '3'] ? text[0] - '0' : throw new FormatException("it must be 0, 1, 2 or 3");
}
