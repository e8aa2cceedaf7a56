namespace Gimlet.Quic.Hosting;

/// <summary>
/// One timer of a connection. It is armed anew only when the deadline moves forward: the deadlines of a busy connection move back with every
/// packet, and a timer that fires early costs one look. Used with the connection's lock held.
/// </summary>
/// <param name="provider">Makes the timer.</param>
/// <param name="callback">Called without any lock.</param>
/// <param name="state">Its argument.</param>
internal sealed class ConnectionTimer(TimeProvider provider, TimerCallback callback, object state) : IDisposable
{
    // The system's timers count milliseconds, and take less than one for "at once".
    private static readonly TimeSpan Resolution = TimeSpan.FromMilliseconds(1);

    private ITimer? _timer;
    private TimeSpan _armed = TimeSpan.MaxValue;
    private bool _isDisposed;

    /// <summary>The timer will fire at this time or before.</summary>
    public void Arm(TimeSpan now, TimeSpan? deadline)
    {
        if (deadline is not { } wanted || wanted >= _armed || _isDisposed)
        {
            return;
        }

        _armed = wanted;
        var due = TimeSpan.FromMilliseconds(Math.Max(Resolution.TotalMilliseconds, Math.Ceiling((wanted - now).TotalMilliseconds)));
        if (_timer is null)
        {
            _timer = Create(due);
            return;
        }

        _ = _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    /// <summary>It fired: nothing is armed.</summary>
    public void OnFired() => _armed = TimeSpan.MaxValue;

    public void Dispose()
    {
        _isDisposed = true;
        _timer?.Dispose();
        _timer = null;
    }

    // A timer keeps the context of whoever made it alive; this is whoever happened to use the connection.
    private ITimer Create(TimeSpan due)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return provider.CreateTimer(callback, state, due, Timeout.InfiniteTimeSpan);
        }

        using (ExecutionContext.SuppressFlow())
        {
            return provider.CreateTimer(callback, state, due, Timeout.InfiniteTimeSpan);
        }
    }
}
