namespace Gimlet.Server.Tests.Support;

/// <summary>
/// Lets a <see cref="ManualTime"/> run beside the machine's clock, for what waits for many timers in a row; runs until stopped or disposed.
/// </summary>
internal sealed class RunningClock : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    private readonly ManualTime _time;
    private PeriodicTimer _ticks = new(Tick);
    private Task _loop;

    public RunningClock(ManualTime time)
    {
        _time = time;
        _loop = RunAsync(_ticks, Tick, TimeSpan.MaxValue);
    }

    /// <summary>Runs from now on.</summary>
    /// <param name="speed">How much faster than the machine's.</param>
    /// <param name="until">After how long it stands still, on its own time.</param>
    public async Task RunAsync(int speed = 1, TimeSpan? until = null)
    {
        await StopAsync();
        _ticks = new PeriodicTimer(Tick);
        _loop = RunAsync(_ticks, Tick * speed, until ?? TimeSpan.MaxValue);
    }

    /// <summary>Stands still from now on.</summary>
    public async Task StopAsync()
    {
        _ticks.Dispose();
        await _loop;
    }

    /// <summary>Runs again when this is disposed: nodes that end wait for timers, those of a test that has failed as well.</summary>
    public IAsyncDisposable RunsAtEnd() => new End(this);

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task RunAsync(PeriodicTimer ticks, TimeSpan step, TimeSpan until)
    {
        for (TimeSpan at = step; at <= until && await ticks.WaitForNextTickAsync(); at += step)
        {
            _time.Advance(step);
        }
    }

    private sealed class End(RunningClock clock) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await clock.RunAsync();
    }
}
