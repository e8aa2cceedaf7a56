using System.Diagnostics.Metrics;

namespace Gimlet.Server.Workers.Hosting;

/// <summary>The workers' part of the meter <c>Gimlet.Server</c>. Recording costs nothing while nobody listens.</summary>
internal sealed class WorkerMetrics
{
    private readonly Counter<long> _refusals;

    public WorkerMetrics(Meter meter, Func<WorkerCounts> counts)
    {
        _refusals = meter.CreateCounter<long>("gimlet.server.workers.refusals", "{refusal}", "Requests of workers and operators that were refused, by reason.");
        _ = meter.CreateObservableUpDownCounter("gimlet.server.workers.connected", () => counts().Connected, "{worker}", "Workers with a connection.");
        _ = meter.CreateObservableUpDownCounter("gimlet.server.workers.waiting", () => counts().Waiting, "{worker}", "Workers that wait for another one.");
        _ = meter.CreateObservableUpDownCounter("gimlet.server.workers.paired", () => counts().Paired, "{worker}", "Connected workers that are paired.");
        _ = meter.CreateObservableCounter("gimlet.server.workers.offers", () => counts().Offers, "{offer}", "Pairs of workers that were offered to each other.");
    }

    /// <summary>Counts a refusal.</summary>
    /// <param name="kind">A stable word.</param>
    public void Refused(string kind) => _refusals.Add(1, new KeyValuePair<string, object?>("reason", kind));
}
