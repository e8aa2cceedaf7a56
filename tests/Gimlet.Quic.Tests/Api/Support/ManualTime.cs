namespace Gimlet.Quic.Tests.Api.Support;

/// <summary>A clock that a test moves by hand; timers run on the thread that moves it, and are counted.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private TimeSpan _now = TimeSpan.FromHours(1);

    /// <summary>How many callbacks of timers ran.</summary>
    public int Callbacks { get; private set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _now.Ticks;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Assert.Equal(Timeout.InfiniteTimeSpan, period);
        var timer = new ManualTimer(this, () => callback(state));
        _ = timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock and runs what is due.</summary>
    public void Advance(TimeSpan step)
    {
        ManualTimer[] due;
        lock (_gate)
        {
            _now += step;
            due = [.. _timers.Where(t => t.DueAt <= _now)];
            _timers.RemoveAll(t => t.DueAt <= _now);
        }

        foreach (ManualTimer timer in due)
        {
            Callbacks++;
            timer.Run();
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
