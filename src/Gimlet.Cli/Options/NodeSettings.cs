using System.CommandLine;
using System.Net;
using Gimlet.Cli.CommandLine;
using Gimlet.Stun.Client;

namespace Gimlet.Cli.Options;

/// <summary>The options of every command that runs a node.</summary>
internal sealed class NodeSettings
{
    private const string MetadataVariable = "GIMLET_METADATA_URL";
    private const string Off = "off";

    private readonly ListSetting<Uri> _servers = new(
        "--server", "URL", "A rendezvous server; several may be given, the first is home. GIMLET_SERVER: a list with commas.", AddressText.ReadServer);

    private readonly ValueSetting<string> _token = new("--server-token", "TEXT", "The access token, where the servers ask for one.", static text => text);

    private readonly ValueSetting<int> _port = new(
        "--port", "N", "The local UDP port. Default 0: the one that this key used last if it is free, else any.", AddressText.ReadPort);

    private readonly ListSetting<string> _stun = new(
        "--stun", "HOST[:PORT]", "A STUN server; several may be given. Default: the server's own. Also GIMLET_STUN_SERVER.", ReadStun, "GIMLET_STUN_SERVER");

    private readonly ValueSetting<PathPolicy> _path = new(
        "--path",
        "POLICY",
        "relay-then-direct (default), direct-head-start:MS, direct-only or relay-only.",
        PathText.Read);

    private readonly ValueSetting<IPEndPoint> _publicAddress = new(
        "--public-address",
        "IP[:PORT]",
        "The public address, where it is known better; advertised first, STUN is still asked. Also GIMLET_PUBLIC_IP.",
        AddressText.ReadAddress,
        "GIMLET_PUBLIC_IP");

    private readonly FlagSetting _noHolepunch = new("--no-holepunch", "Takes part in no direct path: the same as --path relay-only. GIMLET_NO_HOLEPUNCH=1.");

    private readonly ValueSetting<TimeSpan> _timeout = new(
        "--timeout", "SECONDS", "How long to wait: for a server at the start, and for the peer. Default: 10.", DurationText.ReadSeconds);

    /// <summary>Whose key.</summary>
    public KeySettings Key { get; } = new();

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    public void AddTo(GimletCommand command)
    {
        foreach (Option option in new Option[] { _servers.Option, _token.Option })
        {
            Add(command, option);
        }

        Key.AddTo(command);
        foreach (Option option in new Option[] { _port.Option, _stun.Option, _path.Option, _publicAddress.Option, _noHolepunch.Option, _timeout.Option })
        {
            Add(command, option);
        }
    }

    /// <summary>The servers of the line or the environment.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">One is wrong.</exception>
    public IReadOnlyList<Uri> Servers(ParseResult parse) => _servers.Get(parse);

    /// <summary>Whether the server token is on the line, and so for this call, and not the environment's for any.</summary>
    /// <param name="parse">The line.</param>
    public bool IsTokenTyped(ParseResult parse) => _token.IsTyped(parse);

    /// <summary>How long to wait for a server, and then for a peer; null for the defaults.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">It is wrong.</exception>
    public TimeSpan? Timeout(ParseResult parse) => _timeout.TryGet(parse, out TimeSpan timeout) ? timeout : null;

    /// <summary>The STUN servers that were named; empty for the servers' own.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">One is wrong.</exception>
    public IReadOnlyList<string> Stun(ParseResult parse) => _stun.Get(parse);

    /// <summary>Everything a node needs but its key.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">An option is wrong.</exception>
    public GimletNodeOptions Read(ParseResult parse)
    {
        var options = new GimletNodeOptions
        {
            Servers = _servers.Get(parse),
            ServerToken = _token.TryGet(parse, out string token) ? token : null,
            Port = _port.Get(parse, 0),
            StunServers = _stun.Get(parse),
            PublicAddress = _publicAddress.TryGet(parse, out IPEndPoint address) ? address : null,
            NoHolepunch = IsRelayOnly(parse),
            PathPolicy = _path.TryGet(parse, out PathPolicy? policy) ? policy : PathPolicy.RelayThenDirect,
        };
        options = options with { MetadataAddress = ReadMetadataAddress(options.MetadataAddress) };
        if (_timeout.TryGet(parse, out TimeSpan timeout))
        {
            options = options with { ServerTimeout = timeout, Traversal = options.Traversal with { IntroductionTimeout = timeout } };
        }

        return options;
    }

    /// <summary>Where the cloud's metadata service is asked, as the environment says; null for nowhere.</summary>
    /// <param name="otherwise">Where the environment says nothing.</param>
    /// <exception cref="GimletException">It is wrong.</exception>
    public static Uri? ReadMetadataAddress(Uri? otherwise) => EnvironmentNames.Read([MetadataVariable]) is { } metadata ? ReadMetadata(metadata.Value) : otherwise;

    /// <summary>Reads <c>HOST[:PORT]</c> of a STUN server.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is not one.</exception>
    public static string ReadStun(string text) => StunServerAddress.TryParse(text, out _, out string? problem) ? text.Trim() : throw new FormatException(problem);

    /// <summary>Whether only a direct path will do.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">The policy is wrong.</exception>
    public bool IsDirectRequired(ParseResult parse) => _path.TryGet(parse, out PathPolicy? policy) && policy == PathPolicy.DirectOnly;

    private static void Add(GimletCommand command, Option option)
    {
        command.Add(option);
        _ = command.CommonOptions.Add(option);
    }

    private static Uri? ReadMetadata(string text)
    {
        if (string.Equals(text, Off, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        // The paths of the clouds are joined to it, which drops what follows the last slash.
        return Uri.TryCreate(text.EndsWith('/') ? text : text + "/", UriKind.Absolute, out Uri? url) && url.Scheme == Uri.UriSchemeHttp
            ? url
            : throw Usage.Error($"{MetadataVariable} '{text}': it must be a URL with http://, or off.", $"{MetadataVariable}: where the cloud's metadata service answers.");
    }

    private bool IsRelayOnly(ParseResult parse)
    {
        bool chosen = _path.TryGet(parse, out PathPolicy? path);
        bool relayOnly = path == PathPolicy.RelayOnly;
        if (chosen && !relayOnly && _path.IsTyped(parse) && _noHolepunch.IsTyped(parse))
        {
            throw Usage.Error(
                "--no-holepunch and --path contradict each other: the one forbids direct paths, the other wants them.",
                "Leave out one of them.");
        }

        return (chosen && relayOnly) || (!_path.IsTyped(parse) && _noHolepunch.Get(parse)) || _noHolepunch.IsTyped(parse);
    }
}
