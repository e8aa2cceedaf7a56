using System.Collections.Concurrent;

namespace Gimlet.Server.Tests.Support;

/// <summary>The system's clock, which knows the timers that wait.</summary>
internal sealed class TimerWatch : TimeProvider
{
    private readonly ConcurrentDictionary<Watched, TimeSpan> _timers = new();

    /// <summary>How many timers that were made for this time are not disposed.</summary>
    public int CountOf(TimeSpan due) => _timers.Values.Count(t => t == due);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Watched(this, base.CreateTimer(callback, state, dueTime, period));
        _timers[timer] = dueTime;
        return timer;
    }

    private sealed class Watched(TimerWatch watch, ITimer inner) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(dueTime, period);

        public void Dispose()
        {
            _ = watch._timers.TryRemove(this, out _);
            inner.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            _ = watch._timers.TryRemove(this, out _);
            return inner.DisposeAsync();
        }
    }
}
