using System.Net.Sockets;

namespace Gimlet.Sockets.Linux;

/// <summary>
/// Where senders of one socket wait until its send buffer has room. Any number of them share one entry in the
/// <see cref="WritabilityWatcher"/>; only a wait that has to wait allocates.
/// </summary>
internal sealed class SendGate(Socket socket)
{
    private readonly Lock _lock = new();

    // Keeps the socket alive too: a handle that is finalized while the watcher knows it could not be taken out again.
    private readonly Socket _socket = socket;
    private TaskCompletionSource? _opening;
    private long _watch;
    private bool _closed;

    /// <summary>Completes when the socket is writable; at once when it is.</summary>
    public ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        Task opening;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(DatagramSocket));
            if (_opening is null)
            {
                if (IsOpen())
                {
                    return ValueTask.CompletedTask;
                }

                _watch = WritabilityWatcher.Add(this, _socket.SafeHandle);
                _opening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            opening = _opening.Task;
        }

        return new ValueTask(AwaitAsync(opening, cancellationToken));
    }

    /// <summary>Lets all waiters go on: the watcher saw the socket writable.</summary>
    public void Open() => Complete(closing: false);

    /// <summary>Ends all waits; called once, before the socket is closed.</summary>
    public void Close() => Complete(closing: true);

    private void Complete(bool closing)
    {
        TaskCompletionSource? opening;
        lock (_lock)
        {
            _closed |= closing;
            opening = _opening;
            _opening = null;
            if (opening is not null)
            {
                WritabilityWatcher.Remove(_watch, _socket.SafeHandle);
            }
        }

        opening?.SetResult();
    }

    private async Task AwaitAsync(Task opening, CancellationToken cancellationToken)
    {
        await opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _closed), typeof(DatagramSocket));
    }

    private unsafe bool IsOpen()
    {
        bool held = false;
        try
        {
            _socket.SafeHandle.DangerousAddRef(ref held);
            PollDescriptor descriptor = new()
            {
                Descriptor = (int)_socket.SafeHandle.DangerousGetHandle(),
                Events = Constants.PollOut,
            };
            return Libc.Poll(&descriptor, 1, 0) > 0 && (descriptor.ReturnedEvents & Constants.PollOut) != 0;
        }
        finally
        {
            if (held)
            {
                _socket.SafeHandle.DangerousRelease();
            }
        }
    }
}
