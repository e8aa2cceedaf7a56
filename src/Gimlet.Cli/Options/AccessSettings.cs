using System.CommandLine;
using Gimlet.Cli.CommandLine;

namespace Gimlet.Cli.Options;

/// <summary>Who may connect to a command that waits for peers: <c>--allow</c>, <c>--ticket</c> and <c>--once-ticket</c>.</summary>
internal sealed class AccessSettings
{
    private readonly ListSetting<PeerId> _allow = new(
        "--allow", "PEER", "Only this peer may connect; several may be given. Default: everyone who knows the id.", PeerText.ReadId);

    private readonly ValueSetting<TicketOptions> _ticket = new ValueSetting<TicketOptions>(
        "--ticket",
        "once|TIME",
        "The ticket that is printed has a secret, and only who has it may connect, beside --allow: once (one peer, the first), for a time such as 30m or 7d, or once,30m.",
        TicketText.Read).OnlyTyped();

    private readonly Option<bool> _once = Usage.Flag("--once-ticket", "The same as --ticket once.");

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    public void AddTo(GimletCommand command)
    {
        command.Add(_allow.Option);
        command.Add(_ticket.Option);
        command.Add(_once);
    }

    /// <summary>The first of the options that was typed; null for none.</summary>
    /// <param name="parse">The line.</param>
    public string? Typed(ParseResult parse) =>
        new Option[] { _allow.Option, _ticket.Option, _once }.FirstOrDefault(o => parse.GetResult(o) is { Implicit: false })?.Name;

    /// <summary>Reads them.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">One is wrong, or two say the same thing twice.</exception>
    public PeerAccess Read(ParseResult parse)
    {
        IReadOnlyList<PeerId> allowed = _allow.Get(parse);
        bool once = parse.GetValue(_once);
        if (once && _ticket.IsTyped(parse))
        {
            throw Usage.Error("--ticket and --once-ticket both say what the ticket is for.", "Leave out one of them; --ticket once,30m is for one peer within half an hour.");
        }

        return new PeerAccess(allowed, once ? TicketText.ForOne : _ticket.TryGet(parse, out TicketOptions ticket) ? ticket : null);
    }
}

/// <summary>Who may connect.</summary>
/// <param name="Allowed">Peers that may; empty for everyone where there is no ticket.</param>
/// <param name="Ticket">What the printed ticket allows; null for one without a secret.</param>
internal sealed record PeerAccess(IReadOnlyList<PeerId> Allowed, TicketOptions? Ticket)
{
    /// <summary>The node's policy.</summary>
    public PeerPolicy Policy => (Allowed.Count, Ticket) switch
    {
        (0, null) => PeerPolicy.Everyone,
        (_, null) => PeerPolicy.Only(Allowed),
        (0, _) => PeerPolicy.TicketHolders,
        _ => PeerPolicy.Only(Allowed).OrTicketHolders(),
    };

    /// <summary>The ticket to print.</summary>
    /// <param name="node">The node that admits its holders.</param>
    public Ticket IssueBy(GimletNode node) => Ticket is null ? node.Ticket : node.IssueTicket(Ticket);

    /// <summary>In words.</summary>
    public override string ToString()
    {
        string listed = Allowed.Count == 1 ? "one peer" : $"{Allowed.Count} peers";
        return (Allowed.Count, Ticket) switch
        {
            (0, null) => "everyone who knows the id may connect",
            (_, null) => $"{listed} may connect, others are refused",
            (0, { } ticket) => $"{Holder(ticket)} may connect, others are refused",
            (_, { } ticket) => $"{listed} and {Holder(ticket)} may connect, others are refused",
        };
    }

    private static string Holder(TicketOptions ticket) =>
        (ticket.OneTime ? "the first who has the ticket" : "who has the ticket") + (ticket.Lifetime is { } time ? $", for {Describe(time)}," : string.Empty);

    private static string Describe(TimeSpan time) => time switch
    {
        { TotalDays: >= 1 } when time.Ticks % TimeSpan.TicksPerDay == 0 => $"{time.TotalDays:0} d",
        { TotalHours: >= 1 } when time.Ticks % TimeSpan.TicksPerHour == 0 => $"{time.TotalHours:0} h",
        { TotalMinutes: >= 1 } when time.Ticks % TimeSpan.TicksPerMinute == 0 => $"{time.TotalMinutes:0} min",
        _ => $"{time.TotalSeconds:0} s",
    };
}
