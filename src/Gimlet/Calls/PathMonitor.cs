namespace Gimlet.Calls;

/// <summary>
/// Watches the path in use: when the next keep-alive is due, whether an answer is overdue, and when the path is lost. Knows times only;
/// the agent sends.
/// </summary>
internal sealed class PathMonitor(TraversalOptions options)
{
    // Three round trips without an answer are more than jitter; below 200 ms a busy machine looks like a dead path.
    private const int OverdueRoundTrips = 3;
    private static readonly TimeSpan MinOverdue = TimeSpan.FromMilliseconds(200);

    private TimeSpan _overdueAfter;
    private TimeSpan _lastProbe;
    private TimeSpan? _unansweredSince;

    /// <summary>Several checks in a row went unanswered: other pairs are worth trying. One lost datagram is not enough.</summary>
    public bool IsSuspect { get; private set; }

    /// <summary>When <see cref="Poll"/> has something to say.</summary>
    public TimeSpan NextTimeout { get; private set; } = TimeSpan.MaxValue;

    /// <summary>A path begins to be used; it has just been proven.</summary>
    public void Start(TimeSpan now, TimeSpan roundTripTime)
    {
        _lastProbe = now;
        Answered(now, roundTripTime);
    }

    /// <summary>A check on the path was answered.</summary>
    public void Answered(TimeSpan now, TimeSpan roundTripTime)
    {
        // One answer that was seconds late must not put off the next alarm by three times that.
        TimeSpan overdue = Max(roundTripTime * OverdueRoundTrips, MinOverdue);
        _overdueAfter = Min(overdue, options.PathLossTimeout / 2);
        _unansweredSince = null;
        IsSuspect = false;
        NextTimeout = Max(now, _lastProbe + options.KeepAliveInterval);
    }

    /// <summary>A check went out on the path, for whatever purpose.</summary>
    public void Probed(TimeSpan now)
    {
        _lastProbe = now;

        // Only the first unanswered one starts the clock: an application that pings ten times a second must not push the alarm before it.
        if (_unansweredSince is null)
        {
            _unansweredSince = now;
            NextTimeout = now + _overdueAfter;
        }
    }

    /// <summary>Somebody has other evidence that the path may be dead: it is probed at once.</summary>
    public void Suspect(TimeSpan now)
    {
        TimeSpan doubtful = now - (options.PathLossTimeout / 3);
        _unansweredSince = _unansweredSince is { } since && since < doubtful ? since : doubtful;
        IsSuspect = true;
        NextTimeout = now;
    }

    /// <summary>What is to be done now.</summary>
    public PathVerdict Poll(TimeSpan now)
    {
        if (now < NextTimeout)
        {
            return PathVerdict.Nothing;
        }

        if (_unansweredSince is { } since)
        {
            if (now - since >= options.PathLossTimeout)
            {
                return PathVerdict.Lost;
            }

            IsSuspect = now - since >= options.PathLossTimeout / 3;
            NextTimeout = Min(now + options.SuspectProbeInterval, since + options.PathLossTimeout);
            return PathVerdict.Probe;
        }

        return PathVerdict.Probe;
    }

    public void Stop()
    {
        NextTimeout = TimeSpan.MaxValue;
        IsSuspect = false;
        _unansweredSince = null;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}

/// <summary>What the path in use needs.</summary>
internal enum PathVerdict
{
    /// <summary>Nothing yet.</summary>
    Nothing,

    /// <summary>A check: a keep-alive, or another try because the last was not answered.</summary>
    Probe,

    /// <summary>It is dead.</summary>
    Lost,
}
