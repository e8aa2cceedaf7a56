namespace Gimlet.Server.Tests.Support;

/// <summary>The system's clock, until it is halted: then no timer of who uses it fires, and whatever happens does so without waiting for one.</summary>
internal sealed class HaltingClock : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<Action> _due = [];
    private long? _haltedAt;
    private DateTimeOffset _haltedAtUtc;

    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _haltedAt ?? base.GetTimestamp();
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _haltedAt is null ? base.GetUtcNow() : _haltedAtUtc;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => base.CreateTimer(
        _ =>
        {
            lock (_gate)
            {
                if (_haltedAt is not null)
                {
                    _due.Add(() => callback(state));
                    return;
                }
            }

            callback(state);
        },
        null,
        dueTime,
        period);

    /// <summary>Stands still until what is returned is disposed of; what was due meanwhile happens then.</summary>
    public IDisposable Halt()
    {
        lock (_gate)
        {
            _haltedAtUtc = base.GetUtcNow();
            _haltedAt = base.GetTimestamp();
        }

        return new End(this);
    }

    private void GoOn()
    {
        Action[] due;
        lock (_gate)
        {
            _haltedAt = null;
            due = [.. _due];
            _due.Clear();
        }

        foreach (Action action in due)
        {
            action();
        }
    }

    private sealed class End(HaltingClock clock) : IDisposable
    {
        public void Dispose() => clock.GoOn();
    }
}
