using System.Buffers;
using System.Net.Sockets;
using System.Net.WebSockets;
using Gimlet.Identity;
using Gimlet.Signalling;

namespace Gimlet.Hosting;

/// <summary>
/// The WebSocket to one server: opens it, carries text frames and relayed datagrams both ways, and opens it again with jittered backoff whenever
/// it ends, until disposed. What the frames mean is the core's business. Proxies of the environment (HTTP CONNECT and SOCKS) are respected; Nagle's algorithm is off,
/// which is what <see cref="ClientWebSocket"/> does by itself.
/// </summary>
internal sealed class SignallingLink : IServerLink
{
    // Frames go out on the thread of whoever queued the first of them, who may hold the node's lock: what others add meanwhile is not his to send.
    private const int MostByCaller = 2;

    // A connection that has worked is opened again almost at once: a NAT that forgot it, or a proxy that has its rules, is no reason to be away from the relay
    // for longer. (In the NAT lab a transfer whose NAT restarts stood still for this pause.) A moment of jitter, because a server that ends ends all of its connections.
    private static readonly TimeSpan ReopenWithin = TimeSpan.FromMilliseconds(50);

    // A server's restart is over in a second or two; full jitter spreads the return of all its nodes over the window.
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);

    // Without a route nothing leaves this machine, so nobody is bothered: between the new network's address and its route are milliseconds.
    private static readonly TimeSpan FirstLocalBackoff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan MaxBackoffWhenMissed = TimeSpan.FromSeconds(3);

    // A server that is full, or does not want this node, closes sooner than this: to come back to it every half second for ever is an attack.
    private static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(10);

    // The opening includes DNS, TCP, TLS and the upgrade; a server that takes longer than this is down.
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(10);

    // A close handshake is a courtesy; the other side may be gone.
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    private readonly Uri _uri;
    private readonly string _authority;
    private readonly int _session;
    private readonly ISignallingLinkEvents _events;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private readonly Lock _gate = new();
    private volatile LinkOutput? _outgoing;
    private volatile Task _writing = Task.CompletedTask;
    private CancellationTokenSource? _current;
    private CancellationTokenSource? _pause;
    private volatile bool _isEnding;
    private bool _isUrgent;

    public SignallingLink(Uri server, int session, ISignallingLinkEvents events, TimeProvider time)
    {
        var builder = new UriBuilder(server)
        {
            Scheme = server.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs,
            Path = server.AbsolutePath.TrimEnd('/') + SignalProtocol.Path,
            Port = server.Port,
        };
        _uri = builder.Uri;
        _authority = Statement.Authority(server.IdnHost, server.Port);
        _session = session;
        _events = events;
        _time = time;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Queues a text frame; false when there is no connection or it is stalled.</summary>
    public bool TrySend(byte[] frame) => _outgoing?.TryAddText(frame) ?? false;

    /// <summary>Queues datagrams for a peer; false when there is no connection.</summary>
    public bool TryRelay(PeerId peer, ReadOnlySpan<byte> datagrams, int segmentSize) => _outgoing?.TryAddRelayed(peer, datagrams, segmentSize) ?? false;

    /// <summary>Ends the present connection; another is opened after the backoff.</summary>
    public void Restart() => Cancel(atOnce: false);

    /// <summary>The network has changed: whatever the present connection still believes, another is opened now.</summary>
    public void RestartAtOnce() => Cancel(atOnce: true);

    /// <inheritdoc/>
    public void Hurry()
    {
        CancellationTokenSource? pause;
        lock (_gate)
        {
            pause = _pause;
            _isUrgent |= pause is not null;
        }

        try
        {
            pause?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // That pause has ended by itself in this very moment.
        }
    }

    public async ValueTask DisposeAsync()
    {
        _isEnding = true;
        if (_outgoing is { } outgoing)
        {
            // What is queued leaves first, the ends of relayed connections among it: whoever is not told waits half a minute for us. Not cancelled while it is
            // under way, because a WebSocket whose reading is cancelled is torn down.
            outgoing.Complete();
            await _writing.WaitAsync(CloseTimeout, _time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Cancel(bool atOnce)
    {
        CancellationTokenSource? current;
        CancellationTokenSource? pause;
        lock (_gate)
        {
            current = _current;
            pause = atOnce ? _pause : null;
            _isUrgent |= atOnce;
        }

        try
        {
            // Outside the lock: what the cancellation ends may run right here, and it takes the host's lock, under which frames are queued.
            current?.Cancel();
            pause?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // That connection, or that pause, has ended by itself in this very moment.
        }
    }

    private async Task RunAsync()
    {
        int failures = 0;
        while (!_stop.IsCancellationRequested)
        {
            long started = _time.GetTimestamp();
            bool opened = false;
            string reason;
            bool final = false;
            TimeSpan firstBackoff = FirstBackoff;
            try
            {
                (opened, reason, final) = await ConnectAndPumpAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is WebSocketException or HttpRequestException or IOException or OperationCanceledException or InvalidOperationException)
            {
                reason = e is OperationCanceledException ? "the server did not answer in time" : Innermost(e);
                firstBackoff = IsLocal(e) ? FirstLocalBackoff : FirstBackoff;
            }

            if (_stop.IsCancellationRequested || _isEnding)
            {
                // The goodbye was ours: the server that answers it is not lost.
                return;
            }

            failures = opened && _time.GetElapsedTime(started) >= StableAfter ? 1 : failures + 1;
            _events.LinkClosed(_session, reason, final, failures);
            if (final)
            {
                return;
            }

            bool isFirst = opened && failures == 1;
            if (await PauseAsync(isFirst ? ReopenWithin * Random.Shared.NextDouble() : Backoff(failures, firstBackoff)).ConfigureAwait(false))
            {
                failures = 0;
            }
        }
    }

    // True when somebody was in a hurry.
    private async Task<bool> PauseAsync(TimeSpan pause)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        lock (_gate)
        {
            if (_isUrgent)
            {
                _isUrgent = false;
                return true;
            }

            _pause = ending;
        }

        await Task.Delay(pause, _time, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _pause = null;
            bool urgent = _isUrgent;
            _isUrgent = false;
            return urgent;
        }
    }

    // Connections that have nothing but the relay are not left waiting for a server that is back long since; their idle timeout is 30 s.
    private TimeSpan Backoff(int failures, TimeSpan first)
    {
        TimeSpan longest = _events.IsMissed(_session) ? MaxBackoffWhenMissed : MaxBackoff;
        double ceiling = Math.Min(longest.TotalMilliseconds, first.TotalMilliseconds * Math.Pow(2, Math.Clamp(failures - 2, 0, 10)));
        return TimeSpan.FromMilliseconds((ceiling / 4) + (Random.Shared.NextDouble() * ceiling * 3 / 4));
    }

    private static bool IsLocal(Exception e)
    {
        for (Exception? cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException { SocketErrorCode: SocketError.NetworkUnreachable or SocketError.NetworkDown or SocketError.AddressNotAvailable })
            {
                return true;
            }
        }

        return false;
    }

    private static string Innermost(Exception e)
    {
        while (e.InnerException is not null)
        {
            e = e.InnerException;
        }

        return e.Message;
    }

    private async Task<(bool Opened, string Reason, bool Final)> ConnectAndPumpAsync()
    {
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(SignalProtocol.Subprotocol);

        // Asked for at each try: the application may have set another one since, and the handler that ClientWebSockets share remembers the first.
        socket.Options.Proxy = HttpClient.DefaultProxy;

        // The protocol has pings of its own, which say whether the server works and not only whether its kernel does.
        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        using var current = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        lock (_gate)
        {
            _current = current;
            _isUrgent = false;
        }

        try
        {
            return await ConnectAndPumpAsync(socket, current).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _outgoing = null;
                _current = null;
            }
        }
    }

    private async Task<(bool Opened, string Reason, bool Final)> ConnectAndPumpAsync(ClientWebSocket socket, CancellationTokenSource current)
    {
        using (var opening = CancellationTokenSource.CreateLinkedTokenSource(current.Token))
        {
            opening.CancelAfter(OpenTimeout);
            await socket.ConnectAsync(_uri, opening.Token).ConfigureAwait(false);
        }

        if (socket.SubProtocol != SignalProtocol.Subprotocol)
        {
            return (false, $"{_uri} is a WebSocket, but not of a Gimlet server (no subprotocol {SignalProtocol.Subprotocol})", false);
        }

        using var outgoing = new LinkOutput();
        _outgoing = outgoing;

#pragma warning disable CA2025 // the writer is awaited in the finally below, before either is disposed
        Task writer = WriteAsync(socket, outgoing, current);
        _writing = writer;
#pragma warning restore CA2025
        _events.LinkOpened(_session, _authority);
        try
        {
            (string reason, bool final) = await ReadAsync(socket, current.Token).ConfigureAwait(false);
            return (true, reason, final);
        }
        catch (OperationCanceledException) when (current.IsCancellationRequested)
        {
            return (true, "given up", false);
        }
        catch (WebSocketException e)
        {
            return (true, Innermost(e), false);
        }
        finally
        {
            _outgoing = null;

            // What is queued may still leave, but a server that reads nothing more does not hold the next try up.
            outgoing.Complete();
            current.CancelAfter(CloseTimeout);

            // The writer may end on the thread of somebody who queues a frame, with locks held that what follows must not meet.
            await writer.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await CloseAsync(socket).ConfigureAwait(false);
        }
    }

    private async Task<(string Reason, bool Final)> ReadAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        byte[] frame = new byte[4096];
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult part = await socket.ReceiveAsync(frame.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                string reason = PlainText.Of(socket.CloseStatusDescription, "the server closed the connection");
                return (reason, (int?)socket.CloseStatus == SignalCloseCode.Replaced);
            }

            length += part.Count;
            bool isText = part.MessageType == WebSocketMessageType.Text;
            int limit = isText ? SignalProtocol.MaxMessageBytes : RelayFrame.MaxLength;
            if (length > limit)
            {
                return ($"the server sent a message of more than {limit} bytes", false);
            }

            if (!part.EndOfMessage)
            {
                if (length == frame.Length)
                {
                    // One byte more than the limit, so that a frame beyond it is seen as such. It stays: whoever gets batches gets more of them.
                    Array.Resize(ref frame, Math.Min(frame.Length * 4, RelayFrame.MaxLength + 1));
                }

                continue;
            }

            if (isText)
            {
                _events.LinkReceived(_session, frame.AsSpan(0, length));
            }
            else
            {
                _events.LinkRelayed(_session, frame.AsSpan(0, length));
            }

            length = 0;
        }
    }

    private static async Task WriteAsync(ClientWebSocket socket, LinkOutput outgoing, CancellationTokenSource current)
    {
        try
        {
            do
            {
                for (int sent = 0; outgoing.TryTake(out byte[]? text, out RelayedFrame? relayed); sent++)
                {
                    if (sent == MostByCaller)
                    {
                        await Task.Yield();
                    }

                    using (relayed)
                    {
                        await socket.SendAsync(
                            relayed?.Bytes ?? text,
                            relayed is null ? WebSocketMessageType.Text : WebSocketMessageType.Binary,
                            endOfMessage: true,
                            current.Token).ConfigureAwait(false);
                    }
                }
            }
            while (await outgoing.WaitAsync(current.Token).ConfigureAwait(false));

            await CloseAsync(socket).ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The reader sees the same end and says why.
            await current.CancelAsync().ConfigureAwait(false);
        }
    }

    private static async Task CloseAsync(ClientWebSocket socket)
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived))
        {
            return;
        }

        using var bound = new CancellationTokenSource(CloseTimeout);
        try
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "bye", bound.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            // The other side is gone already; there is nobody to be polite to.
            socket.Abort();
        }
    }
}

/// <summary>What happens on a link. Called from the link's own task, one at a time.</summary>
internal interface ISignallingLinkEvents
{
    /// <summary>The WebSocket is open.</summary>
    void LinkOpened(int session, string authority);

    /// <summary>A text frame; the bytes are valid during the call only.</summary>
    void LinkReceived(int session, ReadOnlySpan<byte> frame);

    /// <summary>A binary frame; the bytes are valid during the call only, and may be changed.</summary>
    void LinkRelayed(int session, Span<byte> frame);

    /// <summary>Whether connections wait for the server to be there again.</summary>
    bool IsMissed(int session) => false;

    /// <summary>The WebSocket has ended or could not be opened.</summary>
    /// <param name="session">Which.</param>
    /// <param name="reason">In words.</param>
    /// <param name="final">No other try will follow: the server said that another process has this key.</param>
    /// <param name="failures">How many tries in a row have failed.</param>
    void LinkClosed(int session, string reason, bool final, int failures);
}
