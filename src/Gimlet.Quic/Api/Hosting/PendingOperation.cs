using System.Threading.Tasks.Sources;

namespace Gimlet.Quic.Hosting;

/// <summary>
/// One wait at a time of a reader or a writer, used again for the next: waiting allocates nothing. All but <see cref="GetResult"/> and
/// <see cref="OnCompleted"/> is called with the gate held, and no continuation ever runs under it.
/// </summary>
/// <typeparam name="T">What is waited for.</typeparam>
/// <param name="gate">The connection's lock.</param>
internal sealed class PendingOperation<T>(Lock gate) : IValueTaskSource<T>, IValueTaskSource
{
    private ManualResetValueTaskSourceCore<T> _source = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private ManualResetEventSlim? _blocked;
    private volatile State _state;

    private enum State
    {
        Idle,
        Waiting,

        /// <summary>Done; the caller has not looked yet.</summary>
        Done,
    }

    /// <summary>Somebody waits.</summary>
    public bool IsWaiting => _state == State.Waiting;

    /// <summary>Somebody waits, or has not taken the result yet: there cannot be another operation.</summary>
    public bool IsBusy => _state != State.Idle;

    /// <summary>Begins a wait; the result goes to <see cref="AsTask"/> or <see cref="AsPlainTask"/>.</summary>
    public void Begin(CancellationToken cancellationToken)
    {
        _source.Reset();
        _state = State.Waiting;
        if (cancellationToken.CanBeCanceled)
        {
            // May call at once, on this thread: the gate is reentrant.
            _registration = cancellationToken.UnsafeRegister(
                static (self, token) => ((PendingOperation<T>)self!).Cancel(token), this);
        }
    }

    public ValueTask<T> AsTask() => new(this, _source.Version);

    public ValueTask AsPlainTask() => new(this, _source.Version);

    /// <summary>Ends the wait.</summary>
    public void Complete(T result)
    {
        _state = State.Done;
        _source.SetResult(result);
        _blocked?.Set();
    }

    /// <summary>Ends the wait with an exception.</summary>
    public void Fail(Exception exception)
    {
        _state = State.Done;
        _source.SetException(exception);
        _blocked?.Set();
    }

    /// <summary>
    /// Blocks the thread until the wait is over, and takes the result: for <see cref="Stream.Read(byte[], int, int)"/> and its like. The
    /// completion wakes the thread itself, so nothing depends on a free thread of the pool. Called without the gate; <see cref="PrepareToBlock"/>
    /// was called with it.
    /// </summary>
    public T Block()
    {
        _blocked!.Wait();
        return GetResult(_source.Version);
    }

    /// <summary>To be called before <see cref="Begin"/> where <see cref="Block"/> follows.</summary>
    public void PrepareToBlock()
    {
        _blocked ??= new ManualResetEventSlim();
        _blocked.Reset();
    }

    /// <inheritdoc/>
    public T GetResult(short token)
    {
        // Waits for a callback that is running, so that a late one cannot hit the next operation.
        _registration.Dispose();
        _registration = default;
        try
        {
            return _source.GetResult(token);
        }
        finally
        {
            _state = State.Idle;
        }
    }

    /// <inheritdoc/>
    void IValueTaskSource.GetResult(short token) => _ = GetResult(token);

    /// <inheritdoc/>
    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    /// <inheritdoc/>
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Cancel(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (IsWaiting)
            {
                Fail(new OperationCanceledException(cancellationToken));
            }
        }
    }
}
