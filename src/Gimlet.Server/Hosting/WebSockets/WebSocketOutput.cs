using System.Net.WebSockets;
using Gimlet.Server.Relay;
using Gimlet.Server.Rendezvous;

namespace Gimlet.Server.Hosting.WebSockets;

/// <summary>
/// The way out to one node: a queue of text frames bounded in bytes, the node's relayed frames after them, and a pump that runs only while there is something
/// to send, so that an idle connection costs neither a task nor a timer. A sweep from outside ends what does not move.
/// </summary>
internal sealed class WebSocketOutput(WebSocket socket, TimeProvider time) : ISessionOutput, IThreadPoolWorkItem
{
    /// <summary>
    /// 256 KiB: sixteen messages of the largest size, hundreds of usual ones; all 20,000 nodes would have to stop reading at once, for
    /// this to become 5 GB, and each that stops is closed within <see cref="SendTimeout"/>.
    /// </summary>
    private const int MaxQueuedBytes = 256 * 1024;

    /// <summary>
    /// Text that the network does not take for this long, itself or what was being sent before it, means that nobody reads; 10 s, the time of the registration. Relayed frames
    /// alone do not count: who reads them slowly loses some, and hears a ping soon enough.
    /// </summary>
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long the other side has to answer a close frame; 2 s, several round trips anywhere on earth.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Queue<ReadOnlyMemory<byte>> _queue = new(capacity: 4);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _queuedBytes;
    private RelayQueue? _relay;
    private bool _pumping;
    private bool _stopped;
    private (int Code, string Reason)? _close;
    private long _closeAsked;
    private long _textSince;

    /// <summary>Completes when nothing more will be sent: the close frame is out, or the connection is gone.</summary>
    public Task Ended => _ended.Task;

    public bool TrySend(ReadOnlyMemory<byte> utf8)
    {
        lock (_gate)
        {
            if (_stopped || _close is not null || _queuedBytes + utf8.Length > MaxQueuedBytes)
            {
                return false;
            }

            if (_textSince == 0)
            {
                _textSince = time.GetTimestamp();
            }

            _queue.Enqueue(utf8);
            _queuedBytes += utf8.Length;
            StartPump();
            return true;
        }
    }

    public void RelayReady(RelayQueue queue)
    {
        lock (_gate)
        {
            _relay = queue;
            if (!_stopped && _close is null)
            {
                StartPump();
            }
        }
    }

    public void Close(int code, string reason)
    {
        lock (_gate)
        {
            if (_stopped || _close is not null)
            {
                return;
            }

            _close = (code, reason);
            _closeAsked = time.GetTimestamp();
            StartPump();
        }
    }

    /// <summary>The connection is gone: what is queued is dropped.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
            _queue.Clear();
            _queuedBytes = 0;
        }

        _ = _ended.TrySetResult();
    }

    /// <summary>Cuts a connection that takes nothing more, or does not answer a close.</summary>
    public void Sweep()
    {
        bool stuck;
        lock (_gate)
        {
            stuck = (_close is not null && time.GetElapsedTime(_closeAsked) > CloseTimeout)
                || (_textSince != 0 && time.GetElapsedTime(_textSince) > SendTimeout);
        }

        if (stuck)
        {
            Abort();
        }
    }

    /// <summary>Cuts the connection; the receive loop ends by it.</summary>
    public void Abort()
    {
        socket.Abort();
        Stop();
    }

    void IThreadPoolWorkItem.Execute() => _ = PumpAsync();

    private void StartPump()
    {
        if (!_pumping)
        {
            _pumping = true;
            _ = ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private async Task PumpAsync()
    {
        try
        {
            while (TryNext(out Outgoing next))
            {
                if (next.Close is { } end)
                {
                    await socket.CloseOutputAsync((WebSocketCloseStatus)end.Code, end.Reason, CancellationToken.None).ConfigureAwait(false);
                    _ = _ended.TrySetResult();
                    return;
                }

                if (next.Relayed.Buffer is { } buffer)
                {
                    await socket.SendAsync(next.Relayed.Bytes, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None).ConfigureAwait(false);

                    // Not in a finally: after a failure it is not certain that nobody reads the buffer any more.
                    RelayBuffers.Return(buffer);
                }
                else
                {
                    await socket.SendAsync(next.Text, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (WebSocketFault.IsGone(e))
        {
            // The receive loop sees the same end and reports it; here there is only nothing more to do.
            Abort();
        }
    }

    // Text first, then the close, then what is relayed: datagrams may be lost, and do not keep a close waiting.
    private bool TryNext(out Outgoing next)
    {
        next = default;
        lock (_gate)
        {
            if (_queue.TryDequeue(out next.Text))
            {
                _queuedBytes -= next.Text.Length;
                _textSince = time.GetTimestamp();
                return true;
            }

            _textSince = 0;
            if (_stopped)
            {
                _pumping = false;
                return false;
            }

            if (_close is not null)
            {
                // _pumping stays set: nothing is sent after a close frame.
                next.Close = _close;
                return true;
            }

            if (_relay is null || !_relay.TryDequeue(out next.Relayed))
            {
                _pumping = false;
                return false;
            }

            return true;
        }
    }

    private struct Outgoing
    {
        public ReadOnlyMemory<byte> Text;
        public RelayedFrame Relayed;
        public (int Code, string Reason)? Close;
    }
}
