using System.Net.Security;

namespace Gimlet.Quic.Hosting;

/// <summary>
/// Connections whose handshake is complete, until the application takes them. No more handshakes begin while it is full; those under way then may
/// still end, so it holds the backlog and the bound on handshakes at most.
/// </summary>
internal sealed class AcceptQueue(int backlog)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<QuicConnection> _connections = new();
    private readonly LinkedList<Waiter> _waiters = new();
    private bool _isClosed;
    private int _count;

    /// <summary>No further connection should begin.</summary>
    public bool IsFull => Volatile.Read(ref _count) >= backlog;

    /// <summary>Gives a connection to whoever waits for its protocol, or keeps it.</summary>
    /// <returns>False when nobody serves any longer.</returns>
    public bool TryAdd(QuicConnection connection)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return false;
            }

            for (LinkedListNode<Waiter>? node = _waiters.First; node is not null; node = node.Next)
            {
                if (node.Value.Wants(connection))
                {
                    _waiters.Remove(node);
                    node.Value.TrySetResult(connection);
                    return true;
                }
            }

            _ = _connections.AddLast(connection);
            Volatile.Write(ref _count, _connections.Count);
            return true;
        }
    }

    /// <summary>Takes the oldest connection of a protocol, or of any.</summary>
    public async ValueTask<QuicConnection> TakeAsync(SslApplicationProtocol? protocol, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        LinkedListNode<Waiter> node;
        lock (_gate)
        {
            var waiter = new Waiter(protocol);
            for (LinkedListNode<QuicConnection>? next = _connections.First; next is not null; next = next.Next)
            {
                if (waiter.Wants(next.Value))
                {
                    _connections.Remove(next);
                    Volatile.Write(ref _count, _connections.Count);
                    return next.Value;
                }
            }

            ObjectDisposedException.ThrowIf(_isClosed, typeof(QuicListener));
            node = _waiters.AddLast(waiter);
        }

        using (cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                (AcceptQueue queue, LinkedListNode<Waiter> waiting) = ((AcceptQueue, LinkedListNode<Waiter>))state!;
                queue.Cancel(waiting, token);
            },
            (this, node)))
        {
            return await node.Value.Task.ConfigureAwait(false);
        }
    }

    /// <summary>Ends all waits.</summary>
    /// <returns>What nobody took.</returns>
    public QuicConnection[] Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            foreach (Waiter waiter in _waiters)
            {
                waiter.SetException(new ObjectDisposedException(nameof(QuicListener)));
            }

            _waiters.Clear();
            QuicConnection[] rest = [.. _connections];
            _connections.Clear();
            Volatile.Write(ref _count, 0);
            return rest;
        }
    }

    private void Cancel(LinkedListNode<Waiter> node, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            // Taken out by whoever gave it a connection: that is then the result, and not lost.
            if (node.List is not null)
            {
                _waiters.Remove(node);
                node.Value.SetCanceled(cancellationToken);
            }
        }
    }

    private sealed class Waiter(SslApplicationProtocol? protocol)
        : TaskCompletionSource<QuicConnection>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public bool Wants(QuicConnection connection) => protocol is null || protocol == connection.NegotiatedApplicationProtocol;
    }
}
