using System.Buffers;
using System.Net.WebSockets;
using System.Threading.Channels;
using Gimlet.Identity;
using Gimlet.Signalling;

namespace Gimlet.Hosting;

/// <summary>
/// The WebSocket to one server: opens it, carries text frames both ways, and opens it again with jittered backoff whenever it ends,
/// until disposed. What the frames mean is the core's business.
/// </summary>
internal sealed class SignallingLink : IAsyncDisposable
{
    // A server's restart is over in a second or two; full jitter spreads the return of all its nodes over the window.
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(15);

    // A server that is full, or does not want this node, closes sooner than this: to come back to it every half second for ever is an attack.
    private static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(10);

    // The opening includes DNS, TCP, TLS and the upgrade; a server that takes longer than this is down.
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(10);

    // A close handshake is a courtesy; the other side may be gone.
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    // Messages to a stalled server: far more than a node says in the time until keep-alive notices.
    private const int OutgoingCapacity = 256;

    private readonly Uri _uri;
    private readonly string _authority;
    private readonly int _session;
    private readonly ISignallingLinkEvents _events;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private readonly Lock _gate = new();
    private Channel<byte[]>? _outgoing;
    private CancellationTokenSource? _current;

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
    public bool TrySend(byte[] frame)
    {
        lock (_gate)
        {
            return _outgoing is not null && _outgoing.Writer.TryWrite(frame);
        }
    }

    /// <summary>Ends the present connection; another is opened after the backoff.</summary>
    public void Restart()
    {
        CancellationTokenSource? current;
        lock (_gate)
        {
            current = _current;
        }

        try
        {
            // Outside the lock: what the cancellation ends may run right here, and it takes the host's lock, under which frames are queued.
            current?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // That connection has ended by itself in this very moment.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
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
            try
            {
                (opened, reason, final) = await ConnectAndPumpAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is WebSocketException or HttpRequestException or IOException or OperationCanceledException or InvalidOperationException)
            {
                reason = e is OperationCanceledException ? "the server did not answer in time" : Innermost(e);
            }

            if (_stop.IsCancellationRequested)
            {
                return;
            }

            failures = opened && _time.GetElapsedTime(started) >= StableAfter ? 1 : failures + 1;
            _events.LinkClosed(_session, reason, final, failures);
            if (final)
            {
                return;
            }

            try
            {
                await Task.Delay(Backoff(failures), _time, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private static TimeSpan Backoff(int failures)
    {
        double ceiling = Math.Min(MaxBackoff.TotalMilliseconds, FirstBackoff.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 10)));
        return TimeSpan.FromMilliseconds((ceiling / 4) + (Random.Shared.NextDouble() * ceiling * 3 / 4));
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

        // The protocol has pings of its own, which say whether the server works and not only whether its kernel does.
        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        using (var opening = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token))
        {
            opening.CancelAfter(OpenTimeout);
            await socket.ConnectAsync(_uri, opening.Token).ConfigureAwait(false);
        }

        if (socket.SubProtocol != SignalProtocol.Subprotocol)
        {
            return (false, $"{_uri} is a WebSocket, but not of a Gimlet server (no subprotocol {SignalProtocol.Subprotocol})", false);
        }

        using var current = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var outgoing = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(OutgoingCapacity) { SingleReader = true });
        lock (_gate)
        {
            _outgoing = outgoing;
            _current = current;
        }

#pragma warning disable CA2025 // the writer is awaited in the finally below, before either is disposed
        Task writer = WriteAsync(socket, outgoing.Reader, current);
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
            lock (_gate)
            {
                _outgoing = null;
                _current = null;
            }

            // What is queued may still leave, but a server that reads nothing more does not hold the next try up.
            _ = outgoing.Writer.TryComplete();
            current.CancelAfter(CloseTimeout);
            await writer.ConfigureAwait(false);
            await CloseAsync(socket).ConfigureAwait(false);
        }
    }

    private async Task<(string Reason, bool Final)> ReadAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        var frame = new ArrayBufferWriter<byte>(4096);
        while (true)
        {
            ValueWebSocketReceiveResult part = await socket.ReceiveAsync(frame.GetMemory(1024), cancellationToken).ConfigureAwait(false);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                string reason = PlainText.Of(socket.CloseStatusDescription, "the server closed the connection");
                return (reason, (int?)socket.CloseStatus == SignalCloseCode.Replaced);
            }

            frame.Advance(part.Count);
            if (frame.WrittenCount > SignalProtocol.MaxMessageBytes)
            {
                return ($"the server sent a message of more than {SignalProtocol.MaxMessageBytes} bytes", false);
            }

            if (part.EndOfMessage)
            {
                if (part.MessageType == WebSocketMessageType.Text)
                {
                    _events.LinkReceived(_session, frame.WrittenSpan);
                }

                frame.ResetWrittenCount();
            }
        }
    }

    private static async Task WriteAsync(ClientWebSocket socket, ChannelReader<byte[]> outgoing, CancellationTokenSource current)
    {
        try
        {
            await foreach (byte[] frame in outgoing.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                await socket.SendAsync(frame.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, current.Token).ConfigureAwait(false);
            }
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

    /// <summary>The WebSocket has ended or could not be opened.</summary>
    /// <param name="session">Which.</param>
    /// <param name="reason">In words.</param>
    /// <param name="final">No other try will follow: the server said that another process has this key.</param>
    /// <param name="failures">How many tries in a row have failed.</param>
    void LinkClosed(int session, string reason, bool final, int failures);
}
