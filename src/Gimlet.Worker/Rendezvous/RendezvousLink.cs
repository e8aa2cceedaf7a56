using System.Net;
using System.Net.WebSockets;
using System.Threading.Channels;
using Gimlet.Signalling;

namespace Gimlet.Worker.Rendezvous;

/// <summary>
/// The WebSocket to the rendezvous: opens it, carries text frames both ways, and opens it again after a pause whenever it ends, until disposed. Proxies of the
/// environment are respected. What the frames mean is the session's business.
/// </summary>
internal sealed class RendezvousLink : IAsyncDisposable
{
    /// <summary>The reason with which a rendezvous closes the connection that another one with the same id replaces.</summary>
    public const string TakenOverReason = "New connection from same worker ID";

    // As the rendezvous itself: a longer message is none of the protocol's.
    private const int MaxMessageBytes = 16 * 1024;

    // A worker says a dozen things at once at most; a rendezvous that does not take them is stuck.
    private const int MaxQueued = 64;

    // DNS, TCP, TLS and the upgrade.
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(10);

    // A worker has to be gone within two seconds, and its node takes its part of them.
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromMilliseconds(300);

    private readonly GimletWorkerOptions _options;
    private readonly Uri _url;
    private readonly IRendezvousEvents _events;
    private readonly TimeProvider _time;
    private readonly ReconnectPause _pause;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abort = new();
    private Task _loop = Task.CompletedTask;
    private volatile Task _writing = Task.CompletedTask;
    private int _isLeaving;
    private volatile Channel<byte[]>? _outgoing;

    public RendezvousLink(GimletWorkerOptions options, IRendezvousEvents events)
    {
        _options = options;
        _url = RendezvousAddress.OfWorker(options.Rendezvous, options.WorkerId, options.Group);
        _events = events;
        _time = options.TimeProvider;
        _pause = new ReconnectPause(Random.Shared.NextDouble);
    }

    /// <summary>Begins.</summary>
    public void Start() => _loop = Task.Run(RunAsync);

    /// <summary>Queues a text frame; false when there is no connection, or it is stuck.</summary>
    public bool TrySend(byte[] frame) => _outgoing?.Writer.TryWrite(frame) ?? false;

    /// <summary>Sends what is queued, and says goodbye, for good; returns when that is on its way. Safe to call twice.</summary>
    public async Task LeaveAsync()
    {
        if (Interlocked.Exchange(ref _isLeaving, 1) == 0)
        {
            await _stop.CancelAsync().ConfigureAwait(false);
        }

        await _writing.WaitAsync(CloseTimeout, _time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Leaves, and waits for the end.</summary>
    public async ValueTask DisposeAsync()
    {
        await LeaveAsync().ConfigureAwait(false);

        // The goodbye is a courtesy: a rendezvous that does not answer it is left.
        _abort.CancelAfter(CloseTimeout);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
        _abort.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            long started = _time.GetTimestamp();
            bool wasOpen = false;
            LinkEnd end;
            try
            {
                using var socket = new ClientWebSocket();
                if (await OpenAsync(socket).ConfigureAwait(false) is { } refusal)
                {
                    end = refusal;
                }
                else
                {
                    wasOpen = true;
                    started = _time.GetTimestamp();
                    end = await PumpAsync(socket).ConfigureAwait(false);
                }
            }
            catch (Exception e) when (e is WebSocketException or HttpRequestException or IOException or OperationCanceledException or InvalidOperationException)
            {
                end = new LinkEnd(e is OperationCanceledException ? "it does not answer" : Innermost(e));
            }

            if (_stop.IsCancellationRequested)
            {
                return;
            }

            if (end.IsTakenOver)
            {
                _events.LinkTakenOver();
                return;
            }

            TimeSpan pause = _pause.Next(wasOpen ? _time.GetElapsedTime(started) : TimeSpan.Zero, end.IsRefused);
            _events.LinkClosed(end.Reason, pause);
            await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Null when it is open.
    private async Task<LinkEnd?> OpenAsync(ClientWebSocket socket)
    {
        // A frame of the rendezvous has to come now and then, or a mapping that has gone would be noticed by nobody.
        socket.Options.KeepAliveInterval = _options.PingInterval;
        socket.Options.KeepAliveTimeout = _options.PingTimeout;
        if (_options.Token is { } token)
        {
            socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        }

        using var opening = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        opening.CancelAfter(OpenTimeout);

        // Not shared: a proxy that was set since the last try counts, and each try is a connection of its own.
        using var handler = new RefusalReader(new SocketsHttpHandler());
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        try
        {
            await socket.ConnectAsync(_url, invoker, opening.Token).ConfigureAwait(false);
            return null;
        }
        catch (WebSocketException) when (handler.Refusal is { } refusal)
        {
            return Explain(refusal.Status, refusal.Detail);
        }
    }

    private static LinkEnd Explain(HttpStatusCode status, string? detail)
    {
        string hint = (status, detail) switch
        {
            (HttpStatusCode.NotFound, null) => " (is it a Gimlet server with --workers, and is the path right?)",
            (HttpStatusCode.Unauthorized, null) => " (it asks for a token)",
            _ => string.Empty,
        };
        return new LinkEnd($"it refuses this worker with status {(int)status}{(detail is null ? hint : $": {detail}")}", IsRefused: (int)status is >= 400 and < 500);
    }

    private async Task<LinkEnd> PumpAsync(ClientWebSocket socket)
    {
        var outgoing = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxQueued) { SingleReader = true });
        _outgoing = outgoing;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_abort.Token);
#pragma warning disable CA2025 // the writer is awaited in the finally below, before either is disposed
        Task writing = WriteAsync(socket, outgoing.Reader, over);
        _writing = writing;
#pragma warning restore CA2025
        CancellationTokenRegistration leaving = _stop.Token.Register(static state => _ = ((Channel<byte[]>)state!).Writer.TryComplete(), outgoing);
        _events.LinkOpened();
        try
        {
            return await ReadAsync(socket, over.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or IOException)
        {
            return new LinkEnd(Innermost(e));
        }
        catch (OperationCanceledException)
        {
            return new LinkEnd("it takes nothing more");
        }
        finally
        {
            _outgoing = null;
            await leaving.DisposeAsync().ConfigureAwait(false);
            _ = outgoing.Writer.TryComplete();
            over.CancelAfter(CloseTimeout);
            await writing.ConfigureAwait(false);
        }
    }

    private async Task<LinkEnd> ReadAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[MaxMessageBytes + 1];
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult part = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return Explain(socket.CloseStatus, socket.CloseStatusDescription);
            }

            length += part.Count;
            if (length > MaxMessageBytes)
            {
                return new LinkEnd($"it sent a message of more than {MaxMessageBytes} bytes", IsRefused: true);
            }

            if (part.EndOfMessage)
            {
                if (part.MessageType == WebSocketMessageType.Text)
                {
                    await _events.LinkReceivedAsync(buffer[..length]).ConfigureAwait(false);
                }

                length = 0;
            }
        }
    }

    private static LinkEnd Explain(WebSocketCloseStatus? status, string? description) => new(
        PlainText.Of(description, $"it closed the connection with code {(int?)status ?? 0}"),
        IsRefused: status == WebSocketCloseStatus.PolicyViolation,
        IsTakenOver: status == WebSocketCloseStatus.NormalClosure && description == TakenOverReason);

    private static async Task WriteAsync(ClientWebSocket socket, ChannelReader<byte[]> outgoing, CancellationTokenSource over)
    {
        try
        {
            await foreach (byte[] frame in outgoing.ReadAllAsync(over.Token).ConfigureAwait(false))
            {
                await socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, over.Token).ConfigureAwait(false);
            }

            // The reader, which is still there when this side leaves, sees the answer.
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "bye", over.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The reader sees the same end and says why.
            await over.CancelAsync().ConfigureAwait(false);
        }
    }

    private static string Innermost(Exception e)
    {
        while (e.InnerException is not null)
        {
            e = e.InnerException;
        }

        return e.Message;
    }
}
