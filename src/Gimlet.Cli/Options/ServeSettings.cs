using System.CommandLine;
using System.Globalization;
using System.Net;
using Gimlet.Cli.CommandLine;
using Gimlet.Server;
using Gimlet.Stun.Server.Hosting;

namespace Gimlet.Cli.Options;

/// <summary>The options of <c>gimlet serve</c>.</summary>
internal sealed class ServeSettings
{
    private const string PortVariable = "PORT";
    private const string Off = "off";
    private const string Everyone = "everyone";
    private const string TokenWord = "token";
    private const int DefaultHttpPort = 8080;
    private const long LeastBytesPerSecond = 65_536;

    // A terabyte: no network; a unit too many.
    private const long MostBytesPerSecond = 1_000_000_000_000;

    private readonly ValueSetting<IPEndPoint?> _http = new ValueSetting<IPEndPoint?>(
        "--http",
        "ADDR:PORT",
        "Where to listen for HTTP. Default: every address, port 8080 or the one in PORT; with --https alone, nowhere.",
        AddressText.ReadListen).OnlyTyped();

    private readonly ValueSetting<IPEndPoint?> _https = new ValueSetting<IPEndPoint?>(
        "--https",
        "ADDR:PORT",
        "Where to listen for HTTPS; needs --cert and --cert-key.",
        AddressText.ReadListen).OnlyTyped();

    private readonly ValueSetting<string> _cert = new ValueSetting<string>(
        "--cert",
        "FILE",
        "The certificate in PEM form with its intermediates; read again when it changes.",
        ReadFile).OnlyTyped();

    private readonly ValueSetting<string> _certKey = new ValueSetting<string>(
        "--cert-key", "FILE", "Its private key in PEM form; read again when it changes.", ReadFile).OnlyTyped();

    private readonly ValueSetting<IPEndPoint?> _stun = new ValueSetting<IPEndPoint?>(
        "--stun",
        "ADDR:PORT",
        "Where STUN listens, UDP; off for no STUN. Default: every address, port 3478.",
        ReadStun).OnlyTyped();

    private readonly ValueSetting<IPEndPoint?> _stunAlt = new ValueSetting<IPEndPoint?>(
        "--stun-alt",
        "ADDR:PORT",
        "Where STUN listens a second time, so that nodes can tell what their NAT does. Default: the next port; another address tells more. off for none.",
        ReadStun).OnlyTyped();

    private readonly ListSetting<string> _names = new ListSetting<string>(
        "--name",
        "HOST",
        "A name that nodes use for this server; several may be given. Default: its own addresses and localhost.",
        static text => text).OnlyTyped();

    private readonly ListSetting<IPNetwork> _trustedProxies = new ListSetting<IPNetwork>(
        "--trusted-proxy",
        "CIDR",
        "A proxy in front whose X-Forwarded headers are believed; several may be given. Default: none.",
        AddressText.ReadNetwork).OnlyTyped();

    private readonly ValueSetting<string> _access = new ValueSetting<string>(
        "--access",
        "everyone|token|FILE",
        "Who may use it: everyone, who has the token, or the peer ids in a file, one per line. Default: token where there is one, else everyone.",
        static text => text).OnlyTyped();

    private readonly ValueSetting<string> _token = new(
        "--token", "TEXT", "The token of --access token, at least 16 characters. Better GIMLET_TOKEN: other users see command lines.", static text => text);

    private readonly ValueSetting<long> _relayRate = new(
        "--relay-rate",
        "BYTES_PER_SECOND",
        "What each node may have relayed, in bytes per second, such as 500K or 10M; 0 for no limit. Default: 2500K.",
        ReadRate);

    private readonly FlagSetting _noRelay = new("--no-relay", "Relays nothing: nodes without a direct path to each other cannot connect.");

    private readonly WorkersSettings _workers = new();

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    public void AddTo(GimletCommand command)
    {
        foreach (Option option in new Option[]
        {
            _http.Option, _https.Option, _cert.Option, _certKey.Option, _stun.Option, _stunAlt.Option,
            _names.Option, _trustedProxies.Option, _access.Option, _token.Option, _relayRate.Option, _noRelay.Option,
        })
        {
            command.Add(option);
        }

        _workers.AddTo(command);
    }

    /// <summary>Everything the server needs.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">An option is wrong.</exception>
    public GimletServerOptions Read(ParseResult parse)
    {
        IPEndPoint? https = _https.Get(parse, null);
        var limits = new RendezvousLimits();
        bool relay = !_noRelay.Get(parse);
        if (!relay && _relayRate.IsTyped(parse))
        {
            throw Usage.Error("--relay-rate and --no-relay contradict each other.", "Leave out one of them.");
        }

        return new GimletServerOptions
        {
            Http = _http.TryGet(parse, out IPEndPoint? http) ? http : DefaultHttp(https),
            Https = https,
            CertificateFile = Needs(parse, _cert, https),
            CertificateKeyFile = Needs(parse, _certKey, https),
            Names = _names.Get(parse),
            TrustedProxies = _trustedProxies.Get(parse),
            Access = ReadAccess(parse),
            Stun = ReadStun(parse),
            Relay = relay,
            Workers = _workers.Read(parse),
            Limits = relay ? limits with { RelayBytesPerSecond = _relayRate.Get(parse, limits.RelayBytesPerSecond) } : limits,
        };
    }

    private static string? Needs(ParseResult parse, ValueSetting<string> file, IPEndPoint? https)
    {
        bool given = file.TryGet(parse, out string path);
        return given == https is not null
            ? given ? path : null
            : throw Usage.Error(
                given ? $"{file.Option.Name} is given, and --https is not." : $"--https needs {file.Option.Name}, and it is missing.",
                "HTTPS takes all three: --https ADDR:PORT --cert FILE --cert-key FILE.");
    }

    private static IPEndPoint? DefaultHttp(IPEndPoint? https)
    {
        // PORT is how hosting platforms say where they expect a service.
        if (EnvironmentNames.Read([PortVariable]) is { } found)
        {
            var symbol = new Option<int>(PortVariable) { Description = "the HTTP port, as hosting platforms set it." };
            return AddressText.EveryAddress(SettingText.Read(symbol, found.Name, found.Value, AddressText.ReadPort));
        }

        return https is null ? AddressText.EveryAddress(DefaultHttpPort) : null;
    }

    private static string ReadFile(string text) => File.Exists(text) ? text : throw new FormatException("there is no such file");

    // Decimal, as network rates are: 1K is 1000 bytes.
    private static long ReadRate(string text)
    {
        long unit = text.Length == 0 ? 1 : text[^1] switch { 'k' or 'K' => 1000, 'm' or 'M' => 1_000_000, _ => 1 };
        string digits = unit == 1 ? text : text[..^1];
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number > MostBytesPerSecond / unit)
        {
            throw new FormatException("it must be a number of bytes per second such as 2500000, 2500K or 2M, or 0 for no limit");
        }

        return number == 0 || number * unit >= LeastBytesPerSecond
            ? number * unit
            : throw new FormatException($"it must be at least {LeastBytesPerSecond}, one frame of the largest size, or 0 for no limit");
    }

    private static string ReadList(string text) =>
        File.Exists(text) ? text : throw new FormatException("it must be everyone, token, or a file with peer ids, and there is no such file");

    private static IPEndPoint? ReadStun(string text) => string.Equals(text, Off, StringComparison.OrdinalIgnoreCase) ? null : AddressText.ReadListen(text);

    private static bool IsEveryAddress(IPEndPoint endPoint) => endPoint.Address.Equals(IPAddress.Any) || endPoint.Address.Equals(IPAddress.IPv6Any);

    private static IReadOnlyList<IPEndPoint> Expand(IPEndPoint endPoint) => IsEveryAddress(endPoint) ? StunServerOptions.EveryAddress(endPoint.Port) : [endPoint];

    private StunServerOptions? ReadStun(ParseResult parse)
    {
        IPEndPoint? main = _stun.Get(parse, AddressText.EveryAddress(StunServerOptions.DefaultPort));
        bool chosen = _stunAlt.TryGet(parse, out IPEndPoint? alternate);
        if (main is null)
        {
            return !chosen || alternate is null
                ? null
                : throw Usage.Error("--stun-alt is given, and --stun is off.", "Leave out one of them.");
        }

        if (!chosen && main.Port < ushort.MaxValue)
        {
            // Any free port beside any free port, else the next one.
            alternate = new IPEndPoint(main.Address, main.Port == 0 ? 0 : main.Port + 1);
        }

        return new StunServerOptions { Listen = Expand(main), Alternate = alternate is null ? [] : Expand(alternate) };
    }

    private AccessRule ReadAccess(ParseResult parse)
    {
        bool hasToken = _token.TryGet(parse, out string token);

        // A token that somebody set and nothing asks for would be an open server by accident.
        string access = _access.Get(parse, hasToken ? TokenWord : Everyone);
        if (access != TokenWord && _token.IsTyped(parse))
        {
            throw Usage.Error($"--token and --access {access} contradict each other.", "Use --access token, or leave out --token.");
        }

        return access switch
        {
            Everyone => AccessRule.Everyone,
            TokenWord => hasToken
                ? AccessRule.Token(token)
                : throw Usage.Error("--access token needs a token, and there is none.", "Set GIMLET_TOKEN, or pass --token: at least 16 random characters."),
            _ => AccessRule.ListFile(SettingText.Read(_access.Option, _access.Option.Name, access, ReadList)),
        };
    }
}
