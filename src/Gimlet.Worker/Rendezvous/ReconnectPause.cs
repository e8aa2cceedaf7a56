namespace Gimlet.Worker.Rendezvous;

/// <summary>How long a worker waits before it opens its WebSocket again: 1 s to 10 s, drawn from a range that doubles.</summary>
internal sealed class ReconnectPause(Func<double> draw)
{
    // Never sooner, and never later: the issue of the workers names both. Ten thousand workers of a server that restarts come back spread over the first range.
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(10);

    // A connection that ends sooner is a failure like one that was never opened.
    private static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(10);

    private int _failures;

    /// <summary>The pause after a connection has ended, or was not opened.</summary>
    /// <param name="lived">How long it lived; zero for one that was not opened.</param>
    /// <param name="isRefused">The rendezvous does not want this worker: that seldom changes soon.</param>
    public TimeSpan Next(TimeSpan lived, bool isRefused)
    {
        _failures = lived >= StableAfter ? 1 : _failures + 1;
        TimeSpan ceiling = isRefused ? Most : TimeSpan.FromSeconds(Math.Min(Most.TotalSeconds, Math.Pow(2, Math.Min(_failures, 10))));
        TimeSpan floor = isRefused ? Most * 0.8 : Least;
        return floor + ((ceiling - floor) * draw());
    }
}
