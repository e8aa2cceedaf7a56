using System.Diagnostics.CodeAnalysis;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Hosting;
using Gimlet.Quic.Streams;

namespace Gimlet.Quic;

/// <content>Opening and accepting streams.</content>
public sealed partial class QuicConnection
{
    private readonly StreamQueue _accepted;
    private readonly HashSet<QuicStream> _streams = [];
    private LinkedList<OpenWaiter>? _openWaiters;

    /// <summary>
    /// Opens a stream; waits while the peer permits no more of them. The peer sees it with its first bytes, or its end, and not before.
    /// </summary>
    /// <param name="type">Whether the peer writes, too.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="QuicException">The connection has ended.</exception>
    public async ValueTask<QuicStream> OpenStreamAsync(QuicStreamType type, CancellationToken cancellationToken = default)
    {
        OptionCheck.Range((int)type, (int)QuicStreamType.Unidirectional, (int)QuicStreamType.Bidirectional, nameof(type));
        cancellationToken.ThrowIfCancellationRequested();
        LinkedListNode<OpenWaiter> node;
        lock (_host.Gate)
        {
            ThrowIfClosed();
            StreamDirection direction = type == QuicStreamType.Bidirectional ? StreamDirection.Bidirectional : StreamDirection.Unidirectional;
            if (!IsAwaited(direction) && TryOpen(direction, out QuicStream? stream))
            {
                return stream;
            }

            node = (_openWaiters ??= []).AddLast(new OpenWaiter(direction));

            // STREAMS_BLOCKED tells the peer.
            _host.Drain();
        }

        using (cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                (QuicConnection connection, LinkedListNode<OpenWaiter> waiting) = ((QuicConnection, LinkedListNode<OpenWaiter>))state!;
                connection.CancelOpen(waiting, token);
            },
            (this, node)))
        {
            return await node.Value.Task.ConfigureAwait(false);
        }
    }

    /// <summary>Takes the next stream that the peer opened.</summary>
    /// <param name="cancellationToken">Ends the wait; no stream is lost by it.</param>
    /// <exception cref="QuicException">The connection has ended; what the peer opened before is given out first.</exception>
    public ValueTask<QuicStream> AcceptStreamAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<QuicStream>(cancellationToken);
        }

        lock (_host.Gate)
        {
            if (_accepted.TryTake(out QuicStream? stream))
            {
                // The peer may open another one in its place.
                _host.Drain();
                return ValueTask.FromResult(stream);
            }

            return _closeReason is { } reason
                ? ValueTask.FromException<QuicStream>(reason.ToException())
                : _accepted.WaitAsync(cancellationToken);
        }
    }

    // Asked with each piece of a stream's bytes until it is content; with the gate held.
    private Func<long, bool>? _watcher;

    /// <summary>Has somebody told, by the stream's number, of bytes that are handed over or have come, until it answers true. Called with the gate held: it must not block.</summary>
    internal void WatchBytes(Func<long, bool> watcher)
    {
        lock (_host.Gate)
        {
            _watcher = watcher;
            foreach (QuicStream stream in _streams)
            {
                // What came before.
                if (stream.HasUnread)
                {
                    OnBytes(stream.Id);
                }
            }
        }
    }

    internal void OnBytes(long stream)
    {
        if (_watcher is { } watcher && watcher(stream))
        {
            _watcher = null;
        }
    }

    /// <summary>Streams that outlive the connection, because what came before its end was not read.</summary>
    internal bool HasUnread => _streams.Count > 0;

    internal void OnStreamEvent(in StreamEvent next)
    {
        switch (next.Kind)
        {
            case StreamEventKind.Opened:
                // Until the application takes it, it counts against the peer's limit: so the queue is bounded by it.
                next.Stream!.IsHeld = true;
                _accepted.Add(Add(next.Stream));
                break;
            case StreamEventKind.StreamsAvailable:
                OpenForWaiters(next.Direction);
                break;
            case StreamEventKind.Closed:
                // With the connection, all streams are closed: they are told by EndStreams.
                if (next.Stream!.Owner is QuicStream closed && _host.Core.Closed is null)
                {
                    _ = _streams.Remove(closed);
                }

                break;
            default:
                (next.Stream!.Owner as QuicStream)?.OnEvent(next.Kind);
                break;
        }
    }

    /// <summary>A stream's reading is over.</summary>
    internal void OnStreamRead(QuicStream stream)
    {
        if (_closeReason is not null && _streams.Remove(stream) && _streams.Count == 0)
        {
            _host.OnAllRead();
        }
    }

    /// <summary>The buffers go, read or not: whoever still reads hears why.</summary>
    internal void OnUnreadLost()
    {
        foreach (QuicStream stream in _streams)
        {
            stream.OnUnreadLost(_closeReason!);
        }
    }

    private void EndStreams(CloseReason reason)
    {
        foreach (QuicStream stream in _streams)
        {
            stream.OnConnectionClosed(reason);
        }

        _ = _streams.RemoveWhere(static s => !s.HasUnread);
        _accepted.Fail(reason.ToException);
        foreach (OpenWaiter waiter in _openWaiters ?? [])
        {
            waiter.SetException(reason.ToException());
        }

        _openWaiters = null;
    }

    private bool TryOpen(StreamDirection direction, [NotNullWhen(true)] out QuicStream? stream)
    {
        stream = _host.Core.Streams.TryOpen(direction, out QuicStreamState? state) ? Add(state) : null;
        return stream is not null;
    }

    private QuicStream Add(QuicStreamState state)
    {
        var stream = new QuicStream(this, _host, state);
        state.Owner = stream;
        _ = _streams.Add(stream);
        return stream;
    }

    // First come, first served.
    private void OpenForWaiters(StreamDirection direction)
    {
        LinkedListNode<OpenWaiter>? node = _openWaiters?.First;
        while (node is not null)
        {
            LinkedListNode<OpenWaiter>? next = node.Next;
            if (node.Value.Direction == direction)
            {
                if (!TryOpen(direction, out QuicStream? stream))
                {
                    return;
                }

                _openWaiters!.Remove(node);
                node.Value.SetResult(stream);
            }

            node = next;
        }
    }

    private bool IsAwaited(StreamDirection direction)
    {
        foreach (OpenWaiter waiter in _openWaiters ?? [])
        {
            if (waiter.Direction == direction)
            {
                return true;
            }
        }

        return false;
    }

    private void CancelOpen(LinkedListNode<OpenWaiter> node, CancellationToken cancellationToken)
    {
        lock (_host.Gate)
        {
            if (node.List is { } list && list == _openWaiters)
            {
                list.Remove(node);
                node.Value.SetCanceled(cancellationToken);
            }
        }
    }

    private sealed class OpenWaiter(StreamDirection direction) : TaskCompletionSource<QuicStream>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public StreamDirection Direction { get; } = direction;
    }
}
