namespace Gimlet.Simulation;

/// <summary>A timer that can be moved. Setting it again leaves the older event in the queue; it finds itself outdated and does nothing.</summary>
internal sealed class SimTimer(World world, Action action) : IEventTarget
{
    private long _generation;

    /// <summary>When it will fire; null when it is not set.</summary>
    public TimeSpan? Due { get; private set; }

    /// <summary>Sets or moves the timer; an instant in the past means now.</summary>
    public void Set(TimeSpan due)
    {
        TimeSpan at = due < world.Now ? world.Now : due;
        if (Due == at)
        {
            return;
        }

        Due = at;
        world.Schedule(at, this, null, ++_generation);
    }

    public void Cancel()
    {
        Due = null;
        _generation++;
    }

    void IEventTarget.Fire(object? state, long number)
    {
        if (number == _generation && Due is not null)
        {
            Due = null;
            action();
        }
    }
}
