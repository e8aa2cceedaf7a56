using System.Diagnostics;
using System.Text.Json.Serialization;

namespace Gimlet.Cli.Output;

/// <summary>What a command has to tell. With <c>--json</c> it is one line; names and fields are a promise to scripts. Times are in milliseconds.</summary>
/// <param name="Event">Its name.</param>
internal abstract record CliEvent([property: JsonPropertyOrder(-1)] string Event)
{
    private static readonly bool IsClockTold = Environment.GetEnvironmentVariable("GIMLET_EVENT_CLOCK") == "1";

    /// <summary>When it happened, by the stopwatch.</summary>
    [JsonIgnore]
    public long At { get; init; } = Stopwatch.GetTimestamp();

    /// <summary>The same in milliseconds, where GIMLET_EVENT_CLOCK=1 asks for it: one clock for all processes of a machine, so that events of two can be compared.</summary>
    [JsonPropertyOrder(int.MaxValue)]
    public double? ClockMs => IsClockTold ? Math.Round(At * 1000.0 / Stopwatch.Frequency, 3) : null;
}

/// <summary><c>gimlet id</c>.</summary>
/// <param name="Peer">This node's id.</param>
internal sealed record IdEvent(string Peer) : CliEvent("id");

/// <summary>The server accepts nodes.</summary>
/// <param name="Http">Its URL for HTTP.</param>
/// <param name="Https">Its URL for HTTPS.</param>
/// <param name="Stun">The address of STUN, main port.</param>
/// <param name="StunAlt">The second address of STUN.</param>
/// <param name="Access">Who may use it, in words.</param>
internal sealed record ReadyEvent(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Http,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Https,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Stun,
    string? StunAlt,
    string Access) : CliEvent("ready");

/// <summary>The public address of this node's port, as one server or one fallback told it.</summary>
/// <param name="Public">The address.</param>
/// <param name="Local">The local address.</param>
/// <param name="Server">The STUN server, where one told it.</param>
/// <param name="RttMs">The round trip to that server.</param>
/// <param name="Source">stun, configured, cloud-metadata or local.</param>
/// <param name="Address">What to hand to the other person: <c>IP:PORT#PEERID</c>.</param>
/// <param name="Explanation">Why this source, in words.</param>
internal sealed record DiscoveredEvent(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Public,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Local,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Server,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? RttMs,
    string Source,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Address,
    string? Explanation) : CliEvent("discovered");

/// <summary>A STUN server that told nothing.</summary>
/// <param name="Server">Which.</param>
/// <param name="Outcome">timed-out, refused, unreachable, malformed or name-not-resolved.</param>
/// <param name="Detail">In words.</param>
internal sealed record StunFailedEvent(string Server, string Outcome, string Detail) : CliEvent("stun-failed");

/// <summary>What the NAT does.</summary>
/// <param name="Type">Its friendly name.</param>
/// <param name="Mapping">endpoint-independent, address-dependent, address-and-port-dependent or unknown.</param>
/// <param name="Filtering">The same words.</param>
/// <param name="Evidence">Why this is believed.</param>
internal sealed record NatEvent(string Type, string Mapping, string Filtering, string Evidence) : CliEvent("nat");

/// <summary>The node waits for peers.</summary>
/// <param name="Peer">Its id.</param>
/// <param name="Ticket">What leads to it.</param>
internal sealed record ListeningEvent(string Peer, string Ticket) : CliEvent("listening");

/// <summary>A dial starts.</summary>
/// <param name="Peer">Whom it calls; null where only an address is known.</param>
/// <param name="Call">The id of the call.</param>
/// <param name="Address">The address, where it was given by hand.</param>
internal sealed record DialingEvent([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Peer, string Call, string? Address) : CliEvent("dialing");

/// <summary>A connection is usable.</summary>
/// <param name="Peer">The other side.</param>
/// <param name="Call">The id of the call.</param>
/// <param name="Path">relay or direct.</param>
/// <param name="Remote">Where datagrams go.</param>
/// <param name="RttMs">The round trip that proved the path.</param>
/// <param name="Authenticated">The other side has proven to be that peer.</param>
/// <param name="ElapsedMs">Since the dial, or since the call came in.</param>
/// <param name="Why">Why it is relayed, in a clause; null where it is not.</param>
/// <param name="WhyKind">The same as a stable word, such as still-trying.</param>
/// <param name="PeerWorkerId">The other side's name at the workers' rendezvous, for a worker.</param>
internal sealed record ConnectedEvent(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Peer,
    string Call,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Path,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Remote,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? RttMs,
    bool Authenticated,
    double ElapsedMs,
    string? Why = null,
    string? WhyKind = null,
    string? PeerWorkerId = null) : CliEvent("connected");

/// <summary>The path is another one; null when the old one died and none works at the moment.</summary>
/// <param name="Peer">The other side, for a listener.</param>
/// <param name="Path">relay or direct.</param>
/// <param name="Remote">Where datagrams go.</param>
/// <param name="RttMs">The last round trip on it.</param>
/// <param name="ElapsedMs">Since the dial, or since the call came in.</param>
/// <param name="Reason">In words.</param>
/// <param name="Why">Why it is relayed, in a clause; null where it is not.</param>
/// <param name="WhyKind">The same as a stable word, such as nothing-got-through.</param>
internal sealed record PathEvent(
    string? Peer,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Path,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Remote,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? RttMs,
    double ElapsedMs,
    string Reason,
    string? Why = null,
    string? WhyKind = null) : CliEvent("path");

/// <summary>A round trip.</summary>
/// <param name="Seq">Its number.</param>
/// <param name="RttMs">How long it took.</param>
/// <param name="Path">relay or direct.</param>
/// <param name="Remote">Who answered.</param>
/// <param name="ElapsedMs">From the dial to the answer.</param>
internal sealed record PongEvent(
    int Seq,
    double RttMs,
    string Path,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Remote,
    double ElapsedMs) : CliEvent("pong");

/// <summary>A round trip that was not answered in time.</summary>
/// <param name="Seq">Its number.</param>
internal sealed record LostEvent(int Seq) : CliEvent("lost");

/// <summary>A round trip of a peer that was answered.</summary>
/// <param name="Peer">Whose.</param>
/// <param name="Seq">Its number.</param>
/// <param name="Path">relay or direct.</param>
/// <param name="Remote">Where it came from.</param>
internal sealed record PingEvent(
    string? Peer,
    int Seq,
    string Path,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Remote) : CliEvent("ping");

/// <summary>A connection has ended.</summary>
/// <param name="Peer">The other side, for a listener.</param>
/// <param name="Reason">In words.</param>
internal sealed record ClosedEvent(string? Peer, string Reason) : CliEvent("closed");

/// <summary>A pipe has ended.</summary>
/// <param name="Reason">In words.</param>
/// <param name="SentBytes">Bytes of standard input that were handed over.</param>
/// <param name="ReceivedBytes">Bytes that standard output has taken.</param>
internal sealed record PipeClosedEvent(string Reason, long SentBytes, long ReceivedBytes) : CliEvent("closed");

/// <summary>All round trips together.</summary>
/// <param name="Sent">How many were sent.</param>
/// <param name="Received">How many were answered.</param>
/// <param name="MinMs">The shortest.</param>
/// <param name="AvgMs">The mean.</param>
/// <param name="MaxMs">The longest.</param>
/// <param name="Why">Why the connection was relayed at the end, in a clause; null where it was not.</param>
/// <param name="WhyKind">The same as a stable word.</param>
/// <param name="WhatWouldHelp">A sentence for people.</param>
internal sealed record SummaryEvent(
    int Sent,
    int Received,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? MinMs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? AvgMs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? MaxMs,
    string? Why = null,
    string? WhyKind = null,
    [property: JsonIgnore] string? WhatWouldHelp = null) : CliEvent("summary");

/// <summary>A measurement.</summary>
/// <param name="BitsPerSecond">What the receiving application has read in a second.</param>
/// <param name="Bytes">All that it has read.</param>
/// <param name="Seconds">From its first byte to its last report, by the receiver's clock.</param>
/// <param name="Path">relay or direct, at the end.</param>
/// <param name="CpuSeconds">Processor time of this process.</param>
/// <param name="RetransmittedBytes">Bytes in packets that the sender declared lost, see <see cref="GimletConnection.BytesLost"/>.</param>
internal sealed record BenchEvent(
    double BitsPerSecond,
    long Bytes,
    double Seconds,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Path,
    double CpuSeconds,
    long RetransmittedBytes) : CliEvent("bench");

/// <summary>A step of the demo.</summary>
/// <param name="Step">Its stable name.</param>
/// <param name="Text">What happened.</param>
/// <param name="ElapsedMs">Since the demo began.</param>
internal sealed record StepEvent(string Step, string Text, double ElapsedMs) : CliEvent("step");

/// <summary>Something to know that is not an error.</summary>
/// <param name="Message">In words.</param>
internal sealed record WarningEvent(string Message) : CliEvent("warning");

/// <summary>The command failed.</summary>
/// <param name="Kind">The stable kind.</param>
/// <param name="Message">What happened.</param>
/// <param name="Hint">What would help.</param>
internal sealed record ErrorEvent(string Kind, string Message, string Hint) : CliEvent("error");
