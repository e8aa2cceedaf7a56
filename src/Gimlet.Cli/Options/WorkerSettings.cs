using System.CommandLine;
using System.Net;
using Gimlet.Cli.CommandLine;
using Gimlet.Stun.Client;
using Gimlet.Worker;

namespace Gimlet.Cli.Options;

/// <summary>What a line says of a worker.</summary>
/// <param name="Options">The worker, without its key.</param>
/// <param name="HealthPort">Where the health check listens; null for nowhere.</param>
/// <param name="IsHealthWanted">The health check was asked for: without it the worker does not start.</param>
/// <param name="HasName">The worker's id was given, so it is the same in every run.</param>
internal sealed record WorkerPlan(GimletWorkerOptions Options, int? HealthPort, bool IsHealthWanted, bool HasName);

/// <summary>The options of <c>gimlet worker</c>, each with the variable by which container platforms set it.</summary>
internal sealed class WorkerSettings
{
    private const string Off = "off";
    private const string StunHostVariable = "STUN_HOST_ENV";
    private const string StunPortVariable = "STUN_PORT_ENV";
    private const int DefaultHealthPort = 8080;

    // Three seconds in all, as TraversalOptions.ReflexTimeout has it.
    private const int DefaultStunTries = 3;
    private static readonly TimeSpan DefaultStunDelay = TimeSpan.FromSeconds(1);

    // More is a unit too many; meanwhile the worker is offered to nobody.
    private static readonly TimeSpan LongestStun = TimeSpan.FromMinutes(5);

    private readonly ValueSetting<Uri> _rendezvous = new(
        "--rendezvous", "URL", "The rendezvous: http(s):// or ws(s)://. Also RENDEZVOUS_SERVICE_URL.", ReadRendezvous, "RENDEZVOUS_SERVICE_URL");

    private readonly ValueSetting<string> _workerId = new(
        "--worker-id", "NAME", "Under which it registers. Default: a new UUID. Also WORKER_ID.", static text => text, "WORKER_ID");

    private readonly ValueSetting<string> _group = new("--group", "NAME", "The group: its members meet each other and nobody else.", static text => text);

    private readonly ValueSetting<string> _groupSecret = new(
        "--group-secret",
        "TEXT",
        "What peers have to know, at least 16 characters; the rendezvous never learns it. Better GIMLET_GROUP_SECRET: other users see command lines.",
        static text => text);

    private readonly ValueSetting<string> _token = new("--worker-token", "TEXT", "The token, where the rendezvous asks workers for one.", static text => text);

    private readonly ValueSetting<string> _serverToken = new("--server-token", "TEXT", "The access token, where the server beside the rendezvous asks for one.", static text => text);

    private readonly ListSetting<PeerId> _allow = new("--allow", "PEER", "Connects to this peer id only; several may be given.", PeerText.ReadId);

    private readonly FlagSetting _noProof = new("--no-proof", "Proves no peer id to the rendezvous: offers are addresses, and connections unauthenticated.");

    private readonly ValueSetting<int> _port = new(
        "--port", "N", "The local UDP port; 0 for any. Default: 8081, or any where that is in use. Also INTERNAL_UDP_PORT_ENV.", AddressText.ReadPort, "INTERNAL_UDP_PORT_ENV");

    private readonly ListSetting<string> _stun = new(
        "--stun",
        "HOST[:PORT]",
        "A STUN server; several may be given. Default: the rendezvous's own, else a public one. Also STUN_HOST_ENV and STUN_PORT_ENV.",
        NodeSettings.ReadStun,
        "GIMLET_STUN_SERVER");

    private readonly ValueSetting<int> _stunTries = new(
        "--stun-retries", "N", "How often STUN is tried before the fallbacks. Default: 3. Also STUN_MAX_RETRIES.", AddressText.ReadCount, "STUN_MAX_RETRIES");

    private readonly ValueSetting<TimeSpan> _stunDelay = new(
        "--stun-retry-delay", "SECONDS", "How long each try takes. Default: 1. Also STUN_RETRY_DELAY_SEC.", DurationText.ReadSeconds, "STUN_RETRY_DELAY_SEC");

    private readonly ValueSetting<IPEndPoint> _publicAddress = new(
        "--public-address", "IP[:PORT]", "The public address, where it is known better. Also GIMLET_PUBLIC_IP.", AddressText.ReadAddress, "GIMLET_PUBLIC_IP");

    private readonly ValueSetting<PathPolicy> _path = new(
        "--path", "POLICY", "relay-then-direct (default), direct-head-start:MS, direct-only or relay-only.", PathText.Read);

    private readonly ValueSetting<int?> _health = new(
        "--health-port", "N", "Where GET answers that the worker is there; off for nowhere. Default: 8080. Also PORT.", ReadHealth, "PORT");

    private readonly ValueSetting<TimeSpan> _pingInterval = new(
        "--ping-interval", "SECONDS", "How often the rendezvous is pinged. Default: 25. Also PING_INTERVAL_SEC.", DurationText.ReadSeconds, "PING_INTERVAL_SEC");

    private readonly ValueSetting<TimeSpan> _pingTimeout = new(
        "--ping-timeout", "SECONDS", "How long its answer may take. Default: 25. Also PING_TIMEOUT_SEC.", DurationText.ReadSeconds, "PING_TIMEOUT_SEC");

    private readonly ValueSetting<TimeSpan> _timeout = new(
        "--timeout", "SECONDS", "How long an offered peer may take to connect. Default: 10.", DurationText.ReadSeconds);

    /// <summary>Whose key.</summary>
    public KeySettings Key { get; } = new();

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    public void AddTo(GimletCommand command)
    {
        foreach (Option option in new Option[]
        {
            _rendezvous.Option, _workerId.Option, _group.Option, _groupSecret.Option, _token.Option, _serverToken.Option, _allow.Option, _noProof.Option,
            _port.Option, _stun.Option, _stunTries.Option, _stunDelay.Option, _publicAddress.Option, _path.Option, _health.Option, _pingInterval.Option,
            _pingTimeout.Option, _timeout.Option,
        })
        {
            command.Add(option);
        }

        Key.AddTo(command);
    }

    /// <summary>Reads them.</summary>
    /// <param name="parse">The line.</param>
    /// <param name="runsCommand">The worker runs a command for its peer.</param>
    /// <exception cref="GimletException">One is wrong, or is missing.</exception>
    public WorkerPlan Read(ParseResult parse, bool runsCommand)
    {
        if (!_rendezvous.TryGet(parse, out Uri rendezvous))
        {
            throw Usage.Error("No rendezvous is named, and a worker needs one.", "Set RENDEZVOUS_SERVICE_URL, or pass --rendezvous URL, such as https://gimlet.example.org.");
        }

        bool hasPort = _port.TryGet(parse, out int port);
        bool hasName = _workerId.TryGet(parse, out string workerId);
        var defaults = new GimletWorkerOptions { Rendezvous = rendezvous };
        GimletWorkerOptions options = defaults with
        {
            WorkerId = hasName ? workerId : defaults.WorkerId,
            Group = _group.TryGet(parse, out string group) ? group : null,
            GroupSecret = _groupSecret.TryGet(parse, out string secret) ? secret : null,
            Token = _token.TryGet(parse, out string token) ? token : null,
            ServerToken = _serverToken.TryGet(parse, out string serverToken) ? serverToken : null,
            ProveIdentity = !_noProof.Get(parse),
            AllowedPeers = _allow.Get(parse),
            RequireAuthentication = runsCommand,
            Port = hasPort ? port : defaults.Port,
            PortIsPreference = !hasPort,
            StunServers = ReadStunServers(parse, rendezvous),
            PublicAddress = _publicAddress.TryGet(parse, out IPEndPoint address) ? address : null,
            MetadataAddress = NodeSettings.ReadMetadataAddress(defaults.MetadataAddress),
            PathPolicy = _path.Get(parse, defaults.PathPolicy),
            PeerTimeout = _timeout.Get(parse, defaults.PeerTimeout),
            PingInterval = _pingInterval.Get(parse, defaults.PingInterval),
            PingTimeout = _pingTimeout.Get(parse, defaults.PingTimeout),
            Traversal = defaults.Traversal with { ReflexTimeout = ReadStunTime(parse) },
        };
        if (runsCommand && !(options.AllowedPeers.Count > 0 || (options.Group is not null && options.GroupSecret is not null)))
        {
            throw Usage.Error(
                "--exec runs a command for whoever connects, and nothing says who that may be.",
                "Name the peers with --allow PEER, or give the workers a --group and the same GIMLET_GROUP_SECRET.");
        }

        options.Validate();
        bool isHealthWanted = _health.TryGet(parse, out int? health);
        return new WorkerPlan(options, isHealthWanted ? health : DefaultHealthPort, isHealthWanted, hasName);
    }

    private static Uri ReadRendezvous(string text)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" or "ws" or "wss" && url.Host.Length > 0)
        {
            return url;
        }

        string guess = text.Contains("://", StringComparison.Ordinal) ? string.Empty : $"; did you mean https://{text}?";
        throw new FormatException($"a rendezvous is a URL with http://, https://, ws:// or wss://, such as https://gimlet.example.org{guess}");
    }

    private static int? ReadHealth(string text) => string.Equals(text, Off, StringComparison.OrdinalIgnoreCase) ? null : AddressText.ReadPort(text);

    private static int ReadStunPort(string text) => AddressText.ReadPort(text) is > 0 and int port ? port : throw new FormatException("a STUN server's port is a number from 1 to 65535");

    private IReadOnlyList<string> ReadStunServers(ParseResult parse, Uri rendezvous)
    {
        if (_stun.Get(parse) is { Count: > 0 } named)
        {
            return named;
        }

        (string Name, string Value)? host = EnvironmentNames.Read([StunHostVariable]);
        (string Name, string Value)? port = EnvironmentNames.Read([StunPortVariable]);
        if (host is null && port is null)
        {
            return [];
        }

        // A port alone is the one at which the rendezvous has its STUN.
        string server = host is null
            ? rendezvous.Host
            : SettingText.Read(_stun.Option, StunHostVariable, host.Value.Value, NodeSettings.ReadStun);
        if (port is null)
        {
            return [server];
        }

        int number = SettingText.Read(_stun.Option, StunPortVariable, port.Value.Value, ReadStunPort);
        StunServerAddress parsed = StunServerAddress.Parse(server);
        return [new StunServerAddress(parsed.Host, number).ToString()];
    }

    private TimeSpan ReadStunTime(ParseResult parse)
    {
        int tries = _stunTries.Get(parse, DefaultStunTries);
        TimeSpan delay = _stunDelay.Get(parse, DefaultStunDelay);
        return tries <= LongestStun / delay
            ? tries * delay
            : throw Usage.Error(
                $"{tries} tries of STUN with {delay.TotalSeconds:0.#} s each are more than five minutes.",
                "Set STUN_MAX_RETRIES (--stun-retries) or STUN_RETRY_DELAY_SEC (--stun-retry-delay) lower: meanwhile the worker is offered to nobody.");
    }
}
