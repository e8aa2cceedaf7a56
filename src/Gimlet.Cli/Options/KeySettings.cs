using System.CommandLine;
using Gimlet.Cli.CommandLine;

namespace Gimlet.Cli.Options;

/// <summary>Which key a node has: <c>--key</c> and <c>--ephemeral</c>.</summary>
internal sealed class KeySettings
{
    private readonly ValueSetting<string> _key = new(
        "--key",
        "FILE",
        "The node's private key, made on first use, readable by its owner only. Default: gimlet/key.pem in the user's configuration folder.",
        static text => text);

    private readonly FlagSetting _ephemeral = new("--ephemeral", "A key for this run only; nothing is written.");

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    public void AddTo(GimletCommand command)
    {
        foreach (Option option in new Option[] { _key.Option, _ephemeral.Option })
        {
            command.Add(option);
            _ = command.CommonOptions.Add(option);
        }
    }

    /// <summary>Whether a key file was named, on the line or in the environment.</summary>
    /// <param name="parse">The line.</param>
    public bool IsNamed(ParseResult parse) => _key.TryGet(parse, out _);

    /// <summary>The key file.</summary>
    /// <param name="parse">The line.</param>
    /// <returns>Null for a key of this run only.</returns>
    /// <exception cref="GimletException">Both were typed.</exception>
    public KeyFile? File(ParseResult parse)
    {
        if (_key.IsTyped(parse) && _ephemeral.IsTyped(parse))
        {
            throw Usage.Error("--key and --ephemeral exclude each other: one names a key to keep, the other wants none kept.", "Leave out one of them.");
        }

        // What is typed wins over the environment, in both directions.
        bool ephemeral = !_key.IsTyped(parse) && _ephemeral.Get(parse);
        return ephemeral ? null : new KeyFile(_key.TryGet(parse, out string path) ? path : null);
    }
}
