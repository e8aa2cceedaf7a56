using System.CommandLine;

namespace Gimlet.Cli.Options;

/// <summary>Options without an environment variable, and what is said about wrong ones.</summary>
internal static class Usage
{
    /// <summary>An option without a value.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What help says.</param>
    public static Option<bool> Flag(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.Zero };

    /// <summary>An option with a value, as text: <see cref="SettingText"/> reads it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="valueName">What help calls the value.</param>
    /// <param name="description">What help says.</param>
    /// <param name="aliases">Other names.</param>
    public static Option<string?> Value(string name, string valueName, string description, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = valueName };

    /// <summary>The error of a wrong line.</summary>
    /// <param name="message">Which part is wrong, and why.</param>
    /// <param name="hint">What would be right.</param>
    public static GimletException Error(string message, string hint) => new(GimletErrorKind.BadUsage, message, hint);
}
