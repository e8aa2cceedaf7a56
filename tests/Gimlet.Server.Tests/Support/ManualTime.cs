namespace Gimlet.Server.Tests.Support;

/// <summary>
/// A clock that a test moves by hand; timers run on the thread that moves it, in the order in which they are due. The time of day is a clock of its
/// own.
/// </summary>
internal sealed class ManualTime : TimeProvider
{
    private static readonly DateTimeOffset Beginning = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private TimeSpan _now = TimeSpan.FromHours(1);
    private TimeSpan _ofDay = TimeSpan.FromHours(1);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _now.Ticks;
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return Beginning + _ofDay;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Assert.Equal(Timeout.InfiniteTimeSpan, period);
        var timer = new ManualTimer(this, () => callback(state));
        _ = timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Time goes by: every timer runs when it is due.</summary>
    public void Advance(TimeSpan step)
    {
        TimeSpan end;
        lock (_gate)
        {
            end = _now + step;
        }

        while (TakeNext(end) is { } next)
        {
            next.Run();
        }
    }

    /// <summary>The process is stopped, and goes on: both clocks have moved, and every timer that was due meanwhile is late.</summary>
    /// <param name="span">For how long.</param>
    /// <param name="first">What happens before any timer runs.</param>
    public void StopProcess(TimeSpan span, Action? first = null)
    {
        lock (_gate)
        {
            _now += span;
            _ofDay += span;
        }

        first?.Invoke();
        Advance(TimeSpan.Zero);
    }

    /// <summary>The machine sleeps, and wakes up: the time of day has moved, and the clock that timers go by stood still.</summary>
    public void Suspend(TimeSpan span)
    {
        lock (_gate)
        {
            _ofDay += span;
        }
    }

    // The timer that is due next until then; the clock is set to its time.
    private ManualTimer? TakeNext(TimeSpan end)
    {
        lock (_gate)
        {
            ManualTimer? next = _timers.Where(t => t.DueAt <= end).MinBy(static t => t.DueAt);
            TimeSpan at = next is null ? end : next.DueAt;
            TimeSpan step = at > _now ? at - _now : TimeSpan.Zero;
            _now += step;
            _ofDay += step;
            _ = next is not null && _timers.Remove(next);
            return next;
        }
    }

    private sealed class ManualTimer(ManualTime time, Action run) : ITimer
    {
        public TimeSpan DueAt { get; private set; }

        public Action Run { get; } = run;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                _ = time._timers.Remove(this);
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    DueAt = time._now + dueTime;
                    time._timers.Add(this);
                }
            }

            return true;
        }

        public void Dispose() => _ = Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
