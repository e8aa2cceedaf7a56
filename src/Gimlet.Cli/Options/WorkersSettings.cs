using System.CommandLine;
using Gimlet.Cli.CommandLine;
using Gimlet.Server;

namespace Gimlet.Cli.Options;

/// <summary>The options of <c>gimlet serve --workers</c>.</summary>
internal sealed class WorkersSettings
{
    private readonly FlagSetting _workers = new(
        "--workers", "Also introduces workers: programs of any language that register by WebSocket and JSON, 'gimlet worker' among them.");

    private readonly ValueSetting<string> _token = new(
        "--worker-token",
        "TEXT",
        "What workers must send as Authorization: Bearer, at least 16 characters. Better GIMLET_WORKER_TOKEN: other users see command lines.",
        static text => text);

    private readonly ValueSetting<string> _operatorToken = new(
        "--operator-token",
        "TEXT",
        "Opens /api and /debug to callers on other machines who send it as Authorization: Bearer, at least 16 characters. Better GIMLET_OPERATOR_TOKEN.",
        static text => text);

    private readonly ValueSetting<IWorkerPairing> _pairing = new(
        "--worker-pairing",
        "next|group|manual",
        "Who is introduced to whom: next, whoever waits next, within its group if it has one; group, members of a group only; manual, by POST /api/connect only. Default: next.",
        ReadPairing);

    private readonly ValueSetting<int> _max = new("--max-workers", "COUNT", "Workers in all. Default: 20000.", AddressText.ReadCount);

    private readonly ValueSetting<int> _maxPerAddress = new(
        "--max-workers-per-address", "COUNT", "Workers behind one IPv4 address or IPv6 /64. Default: 256.", AddressText.ReadCount);

    private IEnumerable<Option> Others => [_token.Option, _operatorToken.Option, _pairing.Option, _max.Option, _maxPerAddress.Option];

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    public void AddTo(GimletCommand command)
    {
        command.Add(_workers.Option);
        foreach (Option option in Others)
        {
            command.Add(option);
        }
    }

    /// <summary>What was asked for; null where workers are off.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">An option is wrong.</exception>
    public GimletWorkersOptions? Read(ParseResult parse)
    {
        if (!_workers.Get(parse))
        {
            return Others.FirstOrDefault(o => parse.GetResult(o) is { Implicit: false }) is not { } alone
                ? null
                : throw Usage.Error($"{alone.Name} is given, and --workers is not.", "Add --workers, or leave it out.");
        }

        var limits = new WorkerLimits();
        var options = new GimletWorkersOptions();
        return options with
        {
            Token = _token.TryGet(parse, out string token) ? token : null,
            OperatorToken = _operatorToken.TryGet(parse, out string operatorToken) ? operatorToken : null,
            Pairing = _pairing.Get(parse, options.Pairing),
            Limits = limits with { Workers = _max.Get(parse, limits.Workers), WorkersPerAddress = _maxPerAddress.Get(parse, limits.WorkersPerAddress) },
        };
    }

    /// <summary>What the server says of them when it starts.</summary>
    /// <param name="options">What was asked for.</param>
    public static string Describe(GimletWorkersOptions options)
    {
        string who = options.Token is null ? "open to everyone" : "only for those who have the token";
        string whom = options.Pairing == WorkerPairing.ByGroup ? "introduced within groups" : options.Pairing == WorkerPairing.Manual ? "introduced by hand" : "introduced to whoever waits next";
        return $"on at /ws/register/ID, {who}; {whom}";
    }

    private static IWorkerPairing ReadPairing(string text) => text switch
    {
        "next" => WorkerPairing.NextWaiting,
        "group" => WorkerPairing.ByGroup,
        "manual" => WorkerPairing.Manual,
        _ => throw new FormatException("it must be next, group or manual"),
    };
}
