namespace Gimlet.Cli.Options;

/// <summary>The environment variables behind options: <c>GIMLET_</c> and the name in capitals.</summary>
internal static class EnvironmentNames
{
    /// <summary>The variable of an option.</summary>
    /// <param name="option">Its name, such as <c>--public-address</c>.</param>
    public static string Of(string option) => "GIMLET_" + option.TrimStart('-').Replace('-', '_').ToUpperInvariant();

    /// <summary>The first variable that is set to something.</summary>
    /// <param name="names">Where to look, in order.</param>
    public static (string Name, string Value)? Read(IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            // Empty counts as not set: that is how a unit file or a container switches a variable off.
            if (Environment.GetEnvironmentVariable(name) is { } value && value.Trim() is { Length: > 0 } text)
            {
                return (name, text);
            }
        }

        return null;
    }
}
