namespace Gimlet.Hosting;

/// <content>Sleep and wake: after one, NATs have forgotten this node and TCP connections are dead without knowing it.</content>
internal sealed partial class NodeHost
{
    /// <summary>
    /// A machine that swaps is late by tens or hundreds of milliseconds; NATs forget UDP after 30 s and more. In between lies who was stopped.
    /// </summary>
    internal static readonly TimeSpan SleepThreshold = TimeSpan.FromSeconds(5);

    private TimeSpan _timerDue = TimeSpan.MaxValue;
    private bool _timerWasLate;
    private TimeSpan _aliveAt;
    private DateTimeOffset _aliveAtUtc;

    // A stopped process finds its timers late. A suspended machine does not: the monotonic clock stood still, and the time of day has jumped. Called with the
    // lock held.
    private bool HasSlept()
    {
        TimeSpan now = Now;
        DateTimeOffset utc = _time.GetUtcNow();
        NoteLateTimer(now);
        bool slept = _timerWasLate || utc - _aliveAtUtc - (now - _aliveAt) > SleepThreshold;
        _timerWasLate = false;
        _timerDue = TimeSpan.MaxValue;
        _aliveAt = now;
        _aliveAtUtc = utc;
        return slept;
    }

    // Whoever arms the timer anew may be in front of one that is late: all threads of a process go on at once. Called with the lock held.
    private void NoteLateTimer(TimeSpan now) => _timerWasLate |= _timerDue != TimeSpan.MaxValue && now - _timerDue > SleepThreshold;

    // Not with the lock held: links call back.
    private void Wake()
    {
        NodeLog.Woke(_logger);
        TryRun(
            static (host, now, _) =>
            {
                host.Core.RenewMappings(now);
                host.Peers.HandleNetworkChange(now);
            },
            0);
        RestartLinks();
    }

    private void RestartLinks()
    {
        foreach (ServerSession server in Volatile.Read(ref _servers))
        {
            server.Link?.RestartAtOnce();
        }
    }

    private void HurryLinks()
    {
        foreach (ServerSession server in Volatile.Read(ref _servers))
        {
            server.Link?.Hurry();
        }
    }
}
