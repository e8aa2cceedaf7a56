namespace Gimlet.Simulation;

/// <summary>
/// A sans-IO core on a simulated host. Whoever feeds it (a datagram, a message, a call of the application) calls
/// <see cref="DriverPump.Pump"/> afterwards: Handle, then drain Poll, then read NextTimeout.
/// </summary>
internal interface ISimDriver
{
    /// <summary>When <see cref="HandleTimeout"/> is to be called; null for never.</summary>
    TimeSpan? NextTimeout { get; }

    void HandleTimeout(TimeSpan now);

    /// <summary>Takes everything that the core has to give: datagrams, messages, events.</summary>
    void Drain(TimeSpan now);
}

/// <summary>Drains a core and keeps its timer.</summary>
internal sealed class DriverPump
{
    /// <summary>A core whose timer is due again at once, this many times in one instant, never lets the clock go on.</summary>
    private const int MaxTimeoutsPerInstant = 1000;

    private readonly World _world;
    private readonly ISimDriver _driver;
    private readonly SimTimer _timer;
    private TimeSpan _lastTimeout = TimeSpan.MinValue;
    private int _timeoutsThisInstant;

    public DriverPump(World world, ISimDriver driver)
    {
        _world = world;
        _driver = driver;
        _timer = new SimTimer(world, OnTimer);
    }

    public void Pump()
    {
        _driver.Drain(_world.Now);
        if (_driver.NextTimeout is { } due)
        {
            _timer.Set(due);
        }
        else
        {
            _timer.Cancel();
        }
    }

    /// <summary>The core will not be called again.</summary>
    public void Stop() => _timer.Cancel();

    private void OnTimer()
    {
        _timeoutsThisInstant = _world.Now == _lastTimeout ? _timeoutsThisInstant + 1 : 0;
        _lastTimeout = _world.Now;
        if (_timeoutsThisInstant > MaxTimeoutsPerInstant)
        {
            throw new InvalidOperationException($"{_driver} asks for a timeout at {_world.Now} again and again.");
        }

        _driver.HandleTimeout(_world.Now);
        Pump();
    }
}
