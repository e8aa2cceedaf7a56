using System.Diagnostics.CodeAnalysis;

namespace Gimlet.Quic.Hosting;

/// <summary>
/// Streams that the peer opened, until the application takes them. As many wait here as the peer may have open at once. Used with the connection's lock
/// held; an idle connection pays for one object. The first who waits does so without an allocation, others beside it with one.
/// </summary>
/// <param name="gate">The connection's lock.</param>
internal sealed class StreamQueue(Lock gate)
{
    private readonly PendingOperation<QuicStream> _first = new(gate);
    private Queue<QuicStream>? _streams;
    private LinkedList<TaskCompletionSource<QuicStream>>? _others;

    /// <summary>Gives a stream to whoever waits, or keeps it.</summary>
    public void Add(QuicStream stream)
    {
        if (_first.IsWaiting)
        {
            stream.OnAccepted();
            _first.Complete(stream);
        }
        else if (_others?.First is { } next)
        {
            _others.RemoveFirst();
            stream.OnAccepted();
            next.Value.SetResult(stream);
        }
        else
        {
            (_streams ??= new Queue<QuicStream>()).Enqueue(stream);
        }
    }

    /// <summary>Takes the oldest.</summary>
    public bool TryTake([NotNullWhen(true)] out QuicStream? stream)
    {
        stream = null;
        if (_streams is null || !_streams.TryDequeue(out stream))
        {
            return false;
        }

        stream.OnAccepted();
        return true;
    }

    /// <summary>Waits for the next.</summary>
    public ValueTask<QuicStream> WaitAsync(CancellationToken cancellationToken)
    {
        if (!_first.IsBusy)
        {
            _first.Begin(cancellationToken);
            return _first.AsTask();
        }

        var waiter = new TaskCompletionSource<QuicStream>(TaskCreationOptions.RunContinuationsAsynchronously);
        LinkedListNode<TaskCompletionSource<QuicStream>> node = (_others ??= new LinkedList<TaskCompletionSource<QuicStream>>()).AddLast(waiter);
        return WaitAsync(node, cancellationToken);
    }

    /// <summary>Ends all waits.</summary>
    public void Fail(Func<Exception> failure)
    {
        if (_first.IsWaiting)
        {
            _first.Fail(failure());
        }

        foreach (TaskCompletionSource<QuicStream> waiter in _others ?? [])
        {
            waiter.SetException(failure());
        }

        _others = null;
    }

    private async ValueTask<QuicStream> WaitAsync(LinkedListNode<TaskCompletionSource<QuicStream>> node, CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                (StreamQueue queue, LinkedListNode<TaskCompletionSource<QuicStream>> waiting) =
                    ((StreamQueue, LinkedListNode<TaskCompletionSource<QuicStream>>))state!;
                queue.Cancel(waiting, token);
            },
            (this, node)))
        {
            return await node.Value.Task.ConfigureAwait(false);
        }
    }

    private void Cancel(LinkedListNode<TaskCompletionSource<QuicStream>> node, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            // Taken out by whoever gave it a stream: that is then the result, and not lost.
            if (node.List is { } list && list == _others)
            {
                list.Remove(node);
                node.Value.SetCanceled(cancellationToken);
            }
        }
    }
}
