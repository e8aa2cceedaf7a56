namespace Gimlet;

/// <summary>
/// What a node has done since it started: one moment, in which all numbers fit together. The meter <c>Gimlet</c> has an instrument for each, whose name is
/// beside it; the meter's are of all nodes of the process.
/// </summary>
public sealed record NodeStatistics
{
    /// <summary>Calls that this node has made: dials, and attempts to find new paths. <c>gimlet.calls.outgoing</c></summary>
    public required long CallsOutgoing { get; init; }

    /// <summary>Calls of peers that this node has taken. <c>gimlet.calls.incoming</c></summary>
    public required long CallsIncoming { get; init; }

    /// <summary>Connections that this node has dialled. <c>gimlet.connections.opened</c></summary>
    public required long ConnectionsOpened { get; init; }

    /// <summary>Connections of peers. <c>gimlet.connections.accepted</c></summary>
    public required long ConnectionsAccepted { get; init; }

    /// <summary>Connections that are open now. <c>gimlet.connections.open</c></summary>
    public required long ConnectionsOpen { get; init; }

    /// <summary>Punches that began: both sides were introduced to each other and checks were sent. <c>gimlet.punches.attempted</c></summary>
    public required long PunchesAttempted { get; init; }

    /// <summary>Punches that opened a path. <c>gimlet.punches.succeeded</c></summary>
    public required long PunchesSucceeded { get; init; }

    /// <summary>
    /// Punches that opened none. What is missing to <see cref="PunchesAttempted"/> is under way, or was given up with its call. <c>gimlet.punches.failed</c>
    /// </summary>
    public required long PunchesFailed { get; init; }

    /// <summary>The same by the stable string of the cause (<see cref="RelayCauseExtensions.ToCauseString"/>): the tag <c>gimlet.cause</c>.</summary>
    public required IReadOnlyDictionary<string, long> PunchesFailedByCause { get; init; }

    /// <summary>Calls whose punch was skipped or failed while the relayed connection works; nothing else. <c>gimlet.relay_fallbacks</c></summary>
    public required long RelayFallbacks { get; init; }

    /// <summary>Connections that moved from the relay to a direct path. <c>gimlet.upgrades</c></summary>
    public required long Upgrades { get; init; }

    /// <summary>Connections that moved from a direct path to the relay. <c>gimlet.downgrades</c></summary>
    public required long Downgrades { get; init; }

    /// <summary>Connections that moved from a direct path to another one. <c>gimlet.migrations</c></summary>
    public required long Migrations { get; init; }

    /// <summary>The state of the port mapping. <c>gimlet.port_mapping_state</c>: nodes, by the tag <c>gimlet.state</c>; <c>none</c> is not counted.</summary>
    public required PortMappingState PortMappingState { get; init; }

    /// <summary>
    /// Renewals of the port mapping, from zero at each new mapping. <c>gimlet.port_mapping_renewals</c>, which as a counter never goes back: it has those of all
    /// mappings.
    /// </summary>
    public required long PortMappingRenewals { get; init; }

    /// <summary>Bytes of datagrams sent on direct paths. <c>gimlet.bytes_sent</c> with the tag <c>gimlet.path</c> = <c>direct</c></summary>
    public required long BytesSentDirect { get; init; }

    /// <summary>Bytes of datagrams that came on direct paths. <c>gimlet.bytes_received</c> with the tag <c>gimlet.path</c> = <c>direct</c></summary>
    public required long BytesReceivedDirect { get; init; }

    /// <summary>Bytes of datagrams sent through the relay. <c>gimlet.bytes_sent</c> with the tag <c>gimlet.path</c> = <c>relay</c></summary>
    public required long BytesSentRelay { get; init; }

    /// <summary>Bytes of datagrams that came through the relay. <c>gimlet.bytes_received</c> with the tag <c>gimlet.path</c> = <c>relay</c></summary>
    public required long BytesReceivedRelay { get; init; }

    /// <summary>From the dial to the first byte of the application. <c>gimlet.time_to_first_byte</c></summary>
    public required DurationHistogram TimeToFirstByte { get; init; }

    /// <summary>From the dial to the first direct path that carried the connection. <c>gimlet.time_to_direct</c></summary>
    public required DurationHistogram TimeToDirect { get; init; }
}
