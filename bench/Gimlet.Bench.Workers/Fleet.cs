using System.Diagnostics;

namespace Gimlet.Bench.Workers;

/// <summary>How many workers are registered, when that many are, and how many may be on their way at once.</summary>
internal sealed class Fleet(int atOnce) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _door = new(atOnce);
    private volatile bool _open;
    private int _registered;
    private int _target = int.MaxValue;
    private TaskCompletionSource<long> _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Registered => Volatile.Read(ref _registered);

    /// <summary>From now on everyone comes when its own time has come: a restart of the server is nobody's to arrange.</summary>
    public void OpenDoor() => _open = true;

    public Task EnterAsync(CancellationToken cancellationToken) => _open ? Task.CompletedTask : _door.WaitAsync(cancellationToken);

    public void Leave()
    {
        if (!_open)
        {
            _ = _door.Release();
        }
    }

    /// <summary>Completes with the time stamp at which this many are registered.</summary>
    public Task<long> WhenAsync(int target)
    {
        lock (_gate)
        {
            _reached = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            _target = target;
            Look();
            return _reached.Task;
        }
    }

    public void Joined()
    {
        lock (_gate)
        {
            _registered++;
            Look();
        }
    }

    public void Left()
    {
        lock (_gate)
        {
            _registered--;
        }
    }

    public void Dispose() => _door.Dispose();

    private void Look()
    {
        if (_registered >= _target)
        {
            _ = _reached.TrySetResult(Stopwatch.GetTimestamp());
        }
    }
}
