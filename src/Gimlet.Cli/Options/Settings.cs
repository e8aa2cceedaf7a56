using System.CommandLine;

namespace Gimlet.Cli.Options;

/// <summary>Reads a value from its text.</summary>
/// <typeparam name="T">What it becomes.</typeparam>
/// <param name="text">What was typed.</param>
/// <exception cref="FormatException">It is wrong; the message says why and what would be right.</exception>
internal delegate T TextReading<out T>(string text);

/// <summary>
/// An option with a value, which may come from the environment instead; what is typed wins. Both are read by the same code, so both fail with the
/// same words.
/// </summary>
/// <typeparam name="T">The type of the value.</typeparam>
internal sealed class ValueSetting<T>
{
    private readonly TextReading<T> _read;
    private string[] _environment;

    /// <summary>Makes a setting.</summary>
    /// <param name="name">The option, such as <c>--port</c>.</param>
    /// <param name="valueName">What help calls the value.</param>
    /// <param name="description">What help says.</param>
    /// <param name="read">Reads the value.</param>
    /// <param name="alsoNamed">Further environment variables, asked after <see cref="EnvironmentNames.Of"/>.</param>
    public ValueSetting(string name, string valueName, string description, TextReading<T> read, params string[] alsoNamed)
    {
        _read = read;
        _environment = [EnvironmentNames.Of(name), .. alsoNamed];
        Option = new Option<string?>(name) { Description = description, HelpName = valueName };
    }

    /// <summary>The option.</summary>
    public Option<string?> Option { get; }

    /// <summary>The same without the environment.</summary>
    public ValueSetting<T> OnlyTyped()
    {
        _environment = [];
        return this;
    }

    /// <summary>Whether it was typed.</summary>
    /// <param name="parse">The line.</param>
    public bool IsTyped(ParseResult parse) => parse.GetResult(Option) is { Implicit: false };

    /// <summary>Reads the value.</summary>
    /// <param name="parse">The line.</param>
    /// <param name="value">The value, where there is one.</param>
    /// <returns>False when it is neither typed nor in the environment.</returns>
    /// <exception cref="GimletException">It is wrong.</exception>
    public bool TryGet(ParseResult parse, out T value)
    {
        if (IsTyped(parse) && parse.GetValue(Option) is { } typed)
        {
            value = SettingText.Read(Option, Option.Name, typed, _read);
            return true;
        }

        if (EnvironmentNames.Read(_environment) is { } found)
        {
            value = SettingText.Read(Option, found.Name, found.Value, _read);
            return true;
        }

        value = default!;
        return false;
    }

    /// <summary>Reads the value.</summary>
    /// <param name="parse">The line.</param>
    /// <param name="otherwise">What it is when it is neither typed nor in the environment.</param>
    /// <exception cref="GimletException">It is wrong.</exception>
    public T Get(ParseResult parse, T otherwise) => TryGet(parse, out T value) ? value : otherwise;
}

/// <summary>An option that may be given several times, or as a list in the environment.</summary>
/// <typeparam name="T">The type of one value.</typeparam>
internal sealed class ListSetting<T>
{
    private readonly TextReading<T> _read;
    private string[] _environment;

    /// <summary>Makes a setting.</summary>
    /// <param name="name">The option, such as <c>--server</c>.</param>
    /// <param name="valueName">What help calls the value.</param>
    /// <param name="description">What help says.</param>
    /// <param name="read">Reads one value.</param>
    /// <param name="alsoNamed">Further environment variables, asked after <see cref="EnvironmentNames.Of"/>.</param>
    public ListSetting(string name, string valueName, string description, TextReading<T> read, params string[] alsoNamed)
    {
        _read = read;
        _environment = [EnvironmentNames.Of(name), .. alsoNamed];
        Option = new Option<string[]>(name) { Description = description, HelpName = valueName, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };
    }

    /// <summary>The option.</summary>
    public Option<string[]> Option { get; }

    /// <summary>The same without the environment.</summary>
    public ListSetting<T> OnlyTyped()
    {
        _environment = [];
        return this;
    }

    /// <summary>Reads all values.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">One is wrong.</exception>
    public IReadOnlyList<T> Get(ParseResult parse)
    {
        if (parse.GetResult(Option) is { Implicit: false } && parse.GetValue(Option) is { Length: > 0 } typed)
        {
            return [.. typed.Select(text => SettingText.Read(Option, Option.Name, text, _read))];
        }

        if (EnvironmentNames.Read(_environment) is not { } found)
        {
            return [];
        }

        string[] texts = found.Value.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return [.. texts.Select(text => SettingText.Read(Option, found.Name, text, _read))];
    }
}

/// <summary>An option without a value.</summary>
internal sealed class FlagSetting
{
    /// <summary>Makes a setting.</summary>
    /// <param name="name">The option, such as <c>--ephemeral</c>.</param>
    /// <param name="description">What help says.</param>
    public FlagSetting(string name, string description)
        => Option = new Option<bool>(name) { Description = description, Arity = ArgumentArity.Zero };

    /// <summary>The option.</summary>
    public Option<bool> Option { get; }

    /// <summary>Whether it was typed.</summary>
    /// <param name="parse">The line.</param>
    public bool IsTyped(ParseResult parse) => parse.GetResult(Option) is { Implicit: false };

    /// <summary>Whether it is on.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">The environment variable is neither yes nor no.</exception>
    public bool Get(ParseResult parse) =>
        IsTyped(parse)
        || (EnvironmentNames.Read([EnvironmentNames.Of(Option.Name)]) is { } found && SettingText.Read(Option, found.Name, found.Value, ReadFlag));

    private static bool ReadFlag(string text) => text.ToLowerInvariant() switch
    {
        "1" or "true" or "yes" or "on" => true,
        "0" or "false" or "no" or "off" => false,
        _ => throw new FormatException("it is a switch, 1 or 0"),
    };
}

/// <summary>The one place where a text becomes a value or an error.</summary>
internal static class SettingText
{
    /// <summary>Reads a text.</summary>
    /// <typeparam name="T">What it becomes.</typeparam>
    /// <param name="symbol">What it belongs to, for the hint.</param>
    /// <param name="where">The option or environment variable that it came from.</param>
    /// <param name="text">The text.</param>
    /// <param name="read">Reads it.</param>
    /// <exception cref="GimletException">It is wrong; names where, what and why.</exception>
    public static T Read<T>(Symbol symbol, string where, string text, TextReading<T> read)
    {
        string hint = $"{symbol.Name}{(symbol is Option { HelpName: { } help } ? " " + help : string.Empty)}: {symbol.Description}";
        if (text.StartsWith("--", StringComparison.Ordinal))
        {
            throw Usage.Error($"{where} needs a value, and is followed by the option {text}.", hint);
        }

        try
        {
            return read(text);
        }
        catch (FormatException e)
        {
            throw new GimletException(GimletErrorKind.BadUsage, $"{where} '{text}': {e.Message.TrimEnd('.')}.", hint, e);
        }
    }
}
