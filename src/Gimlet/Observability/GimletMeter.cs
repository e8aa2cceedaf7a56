using System.Diagnostics.Metrics;

namespace Gimlet.Observability;

/// <summary>
/// The meter <c>Gimlet</c>: the numbers of <see cref="NodeStatistics"/>, of all nodes of the process together. One meter for the process and not one per node,
/// because exporters take two instruments of one name for one. While nobody listens, an instrument costs a comparison.
/// </summary>
internal static class GimletMeter
{
    public const string Name = "Gimlet";

    public const string CauseTag = "gimlet.cause";
    public const string PathTag = "gimlet.path";
    public const string StateTag = "gimlet.state";

    // What is a state and no event is kept here always, so that a listener that comes late sees it right.
    private static readonly long[] PortMappings = new long[Enum.GetValues<PortMappingState>().Length];
    private static long _open;

    private static readonly Meter Meter = new(Name);

    public static readonly Counter<long> CallsOutgoing = Meter.CreateCounter<long>("gimlet.calls.outgoing", "{call}", "Calls that this process has made.");
    public static readonly Counter<long> CallsIncoming = Meter.CreateCounter<long>("gimlet.calls.incoming", "{call}", "Calls of peers that were taken.");
    public static readonly Counter<long> ConnectionsOpened = Meter.CreateCounter<long>("gimlet.connections.opened", "{connection}", "Connections dialled.");
    public static readonly Counter<long> ConnectionsAccepted = Meter.CreateCounter<long>("gimlet.connections.accepted", "{connection}", "Connections of peers.");
    public static readonly Counter<long> PunchesAttempted = Meter.CreateCounter<long>("gimlet.punches.attempted", "{punch}", "Punches that began after an introduction.");
    public static readonly Counter<long> PunchesSucceeded = Meter.CreateCounter<long>("gimlet.punches.succeeded", "{punch}", "Punches that opened a path.");
    public static readonly Counter<long> PunchesFailed = Meter.CreateCounter<long>("gimlet.punches.failed", "{punch}", "Punches that opened none, by cause.");
    public static readonly Counter<long> RelayFallbacks =
        Meter.CreateCounter<long>("gimlet.relay_fallbacks", "{call}", "Calls whose punch was skipped or failed while the relayed connection works.");

    public static readonly Counter<long> Upgrades = Meter.CreateCounter<long>("gimlet.upgrades", "{change}", "Connections that moved from the relay to a direct path.");
    public static readonly Counter<long> Downgrades = Meter.CreateCounter<long>("gimlet.downgrades", "{change}", "Connections that moved from a direct path to the relay.");
    public static readonly Counter<long> Migrations = Meter.CreateCounter<long>("gimlet.migrations", "{change}", "Connections that moved from a direct path to another one.");
    public static readonly Counter<long> PortMappingRenewals = Meter.CreateCounter<long>("gimlet.port_mapping_renewals", "{renewal}", "Renewals of port mappings.");
    public static readonly Counter<long> BytesSent = Meter.CreateCounter<long>("gimlet.bytes_sent", "By", "Bytes of datagrams sent, by kind of path.");
    public static readonly Counter<long> BytesReceived = Meter.CreateCounter<long>("gimlet.bytes_received", "By", "Bytes of datagrams received, by kind of path.");
    public static readonly Histogram<double> TimeToFirstByte = CreateDuration("gimlet.time_to_first_byte", "From the dial to the first byte of the application.");
    public static readonly Histogram<double> TimeToDirect = CreateDuration("gimlet.time_to_direct", "From the dial to the first direct path that carried the connection.");

    static GimletMeter()
    {
        _ = Meter.CreateObservableUpDownCounter("gimlet.connections.open", static () => Interlocked.Read(ref _open), "{connection}", "Connections that are open now.");
        _ = Meter.CreateObservableUpDownCounter("gimlet.port_mapping_state", ObservePortMappings, "{node}", "Nodes by the state of their port mapping; without those that have none.");
    }

    /// <summary>Counts connections that are open now.</summary>
    /// <param name="change">How many more, or fewer.</param>
    public static void AddOpen(long change) => Interlocked.Add(ref _open, change);

    /// <summary>A node's port mapping has another state.</summary>
    /// <param name="from">The state before.</param>
    /// <param name="to">The state now.</param>
    public static void MovePortMapping(PortMappingState from, PortMappingState to)
    {
        _ = Interlocked.Decrement(ref PortMappings[(int)from]);
        _ = Interlocked.Increment(ref PortMappings[(int)to]);
    }

    /// <summary>The stable string of a kind of path, as a tag.</summary>
    /// <param name="kind">The kind.</param>
    public static string Text(PathKind kind) => kind == PathKind.Direct ? "direct" : "relay";

    private static Histogram<double> CreateDuration(string name, string description) =>
        Meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = BucketBounds.Seconds });

    private static Measurement<long>[] ObservePortMappings() =>
    [
        Observe(PortMappingState.Requested, "requested"),
        Observe(PortMappingState.Mapped, "mapped"),
        Observe(PortMappingState.Lost, "lost"),
    ];

    private static Measurement<long> Observe(PortMappingState state, string text) =>
        new(Interlocked.Read(ref PortMappings[(int)state]), new KeyValuePair<string, object?>(StateTag, text));
}
