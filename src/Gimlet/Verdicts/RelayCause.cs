namespace Gimlet;

/// <summary>Why a connection uses the relay and no direct path. Each cause has a stable string (<see cref="RelayCauseExtensions.ToCauseString"/>).</summary>
public enum RelayCause
{
    /// <summary>It does not: the path is direct. <c>not-relayed</c></summary>
    NotRelayed = 0,

    /// <summary>Checks are under way and nothing is decided. <c>still-trying</c></summary>
    StillTrying,

    /// <summary>The connection's path policy allows the relay only. <c>relay-only-policy</c></summary>
    RelayOnlyPolicy,

    /// <summary>This node takes part in no direct paths. <c>own-holepunch-off</c></summary>
    OwnHolepunchOff,

    /// <summary>The peer takes part in no direct paths. <c>peer-unsupported</c></summary>
    PeerUnsupported,

    /// <summary>UDP is blocked on this side. <c>own-udp-blocked</c></summary>
    OwnUdpBlocked,

    /// <summary>Both NATs map per destination, so neither side can tell the other its port. <c>both-nats-map-per-destination</c></summary>
    BothNatsMapPerDestination,

    /// <summary>This side's NAT maps per destination and the peer's filters by port. <c>own-nat-hard-peer-filters</c></summary>
    OwnNatHardPeerFilters,

    /// <summary>The peer's NAT maps per destination and this side's filters by port. <c>peer-nat-hard-own-filters</c></summary>
    PeerNatHardOwnFilters,

    /// <summary>No datagram arrived in either direction. <c>nothing-got-through</c></summary>
    NothingGotThrough,

    /// <summary>The peer's checks arrived and no answer to this side's. <c>answers-lost</c></summary>
    AnswersLost,

    /// <summary>There was a direct path, and it died. <c>path-died</c></summary>
    PathDied,

    /// <summary>The peer named no address that could be tried. <c>no-candidates</c></summary>
    NoCandidates,

    /// <summary>The call that would have looked for paths was not introduced: the server could not be reached or rejected it, or the peer did not answer. <c>not-introduced</c></summary>
    NotIntroduced,

    /// <summary>This node, the server or the peer allows no further attempt at the moment. <c>rate-limited</c></summary>
    RateLimited,

    /// <summary>Both sides have agreed on the relay in a race (<see cref="ConnectOptions.Race"/>). <c>race-lost</c></summary>
    RaceLost,
}
