namespace Gimlet;

/// <summary>The one table of relay causes: enum, stable string, the cause in a clause, what would help.</summary>
public static class RelayCauseExtensions
{
    // What makes a direct path possible where a NAT's port cannot be known beforehand.
    private const string OtherAddress =
        "A public address, IPv6, or a port forwarded on the router of either side makes a direct path possible; only a direct-only connection needs one, every other goes over the relay.";

    private const string AllowUdp = "Allow outgoing UDP on both sides, or give one side a public address.";

    /// <summary>The stable string of a cause, such as <c>answers-lost</c>.</summary>
    /// <param name="cause">The cause.</param>
    public static string ToCauseString(this RelayCause cause) => Row(cause).Text;

    /// <summary>The cause in one clause, without a full stop.</summary>
    /// <param name="cause">The cause.</param>
    public static string Explanation(this RelayCause cause) => Row(cause).Clause;

    /// <summary>What would help, in one sentence.</summary>
    /// <param name="cause">The cause.</param>
    public static string WhatWouldHelp(this RelayCause cause) => Row(cause).Help;

    private static (string Text, string Clause, string Help) Row(RelayCause cause) => cause switch
    {
        RelayCause.NotRelayed => ("not-relayed", "the path is direct", "Nothing has to."),
        RelayCause.StillTrying => ("still-trying", "direct paths are being tried", "A moment's patience."),
        RelayCause.RelayOnlyPolicy => ("relay-only-policy", "the path policy of this connection allows the relay only", "Choose another path policy."),
        RelayCause.OwnHolepunchOff => ("own-holepunch-off", "this node takes part in no direct paths", "Leave out --path relay-only and --no-holepunch on this side."),
        RelayCause.PeerUnsupported => ("peer-unsupported", "the peer takes part in no direct paths", "Leave out --path relay-only and --no-holepunch on the other side, or update it."),
        RelayCause.OwnUdpBlocked => ("own-udp-blocked", "UDP is blocked on this side", AllowUdp),
        RelayCause.BothNatsMapPerDestination => (
            "both-nats-map-per-destination",
            "both NATs map per destination, so neither side can tell the other the port that it will use",
            OtherAddress),
        RelayCause.OwnNatHardPeerFilters => (
            "own-nat-hard-peer-filters",
            "this side's NAT maps per destination, so its port cannot be known beforehand, and the peer's NAT lets in only addresses and ports that it has sent to",
            OtherAddress),
        RelayCause.PeerNatHardOwnFilters => (
            "peer-nat-hard-own-filters",
            "the peer's NAT maps per destination, so its port cannot be known beforehand, and this side's NAT lets in only addresses and ports that it has sent to",
            OtherAddress),
        RelayCause.NothingGotThrough => ("nothing-got-through", "no datagram got through in either direction: a firewall on the way drops UDP", AllowUdp),
        RelayCause.AnswersLost => (
            "answers-lost",
            "the peer's checks arrived but nothing came back: something on the way drops this side's datagrams",
            AllowUdp),
        RelayCause.PathDied => ("path-died", "the direct path does not answer any more", "Nothing has to: the path is probed, and another one is looked for."),
        RelayCause.NoCandidates => ("no-candidates", "the peer named no address that could be tried", AllowUdp),
        RelayCause.NotIntroduced => (
            "not-introduced",
            "the call that looks for direct paths was not introduced",
            "Check that the server can be reached and that both sides use it; it is tried again by itself."),
        RelayCause.RateLimited => ("rate-limited", "no further attempt is allowed at the moment", "Nothing has to: it is tried again by itself."),
        RelayCause.RaceLost => (
            "race-lost",
            "both sides raced the direct path against the relay, and it did not work for both in time",
            "The report of the race has what each side found; the next connection tries again."),
        _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "Not a relay cause."),
    };
}
