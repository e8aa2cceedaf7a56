using System.Diagnostics;
using System.Net.WebSockets;
using Gimlet.Identity;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Support;

/// <summary>A node on a real WebSocket. Every wait has a deadline, and fails with what was waited for.</summary>
internal sealed class LiveNode : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly byte[] _buffer = new byte[64 * 1024];

    private LiveNode(ClientWebSocket socket, string authority, TestNode node)
    {
        Socket = socket;
        Authority = authority;
        Node = node;
    }

    public ClientWebSocket Socket { get; }

    public TestNode Node { get; }

    public string Authority { get; set; }

    public ChallengeMessage? Challenge { get; private set; }

    public static async Task<LiveNode> ConnectAsync(
        Uri url, TestNode? node = null, string? authority = null, Action<ClientWebSocketOptions>? with = null, HttpMessageInvoker? invoker = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(SignalProtocol.Subprotocol);
        socket.Options.KeepAliveInterval = Timeout.InfiniteTimeSpan;
        with?.Invoke(socket.Options);
        var dialled = new UriBuilder(url) { Scheme = url.Scheme == "https" ? "wss" : "ws", Path = SignalProtocol.Path };
        using var timeout = new CancellationTokenSource(Deadline);
        await socket.ConnectAsync(dialled.Uri, invoker, timeout.Token);
        return new LiveNode(socket, authority ?? Statement.Authority(url.Host, url.Port), node ?? new TestNode());
    }

    public static async Task<LiveNode> RegisterAsync(Uri url, TestNode? node = null, string accept = AcceptMode.Open)
    {
        LiveNode live = await ConnectAsync(url, node);
        await live.RegisterAsync(accept);
        _ = await live.NextAsync<RegisteredMessage>();
        return live;
    }

    public async Task RegisterAsync(string accept = AcceptMode.Open, Func<RegisterMessage, RegisterMessage>? with = null)
    {
        Challenge = await NextAsync<ChallengeMessage>();
        RegisterMessage message = Node.Register(Challenge.Nonce, Authority, accept);
        await SendAsync(with?.Invoke(message) ?? message);
    }

    public Task SendAsync(SignalMessage message) => SendAsync(SignalCodec.Write(message), WebSocketMessageType.Text);

    public async Task SendAsync(ReadOnlyMemory<byte> frame, WebSocketMessageType type)
    {
        using var timeout = new CancellationTokenSource(Deadline);
        await Socket.SendAsync(frame, type, endOfMessage: true, timeout.Token);
    }

    /// <summary>Sends one datagram by the relay.</summary>
    public Task RelayAsync(LiveNode to, byte[] datagram) => SendAsync(Frames.Single(to.Node.Id, datagram), WebSocketMessageType.Binary);

    /// <summary>Calls another node, which registered as open, and reads what that brings on both sides.</summary>
    public async Task MeetAsync(LiveNode other)
    {
        await SendAsync(Node.Call(other.Node.Id));
        _ = await NextAsync<IntroduceMessage>();
        _ = await other.NextAsync<IncomingMessage>();
    }

    /// <summary>The next binary frame; text before it is a failure, but for the server's own keep-alive.</summary>
    public async Task<byte[]> NextBinaryAsync()
    {
        var waited = Stopwatch.StartNew();
        (WebSocketMessageType type, int length) = await ReadFrameAsync("a binary frame");
        while (type == WebSocketMessageType.Text && waited.Elapsed < Deadline && SignalCodec.TryRead(_buffer.AsSpan(0, length), out SignalMessage? message, out _) && message is PingMessage ping)
        {
            await SendAsync(new PongMessage { Id = ping.Id });
            (type, length) = await ReadFrameAsync("a binary frame");
        }

        Assert.True(type == WebSocketMessageType.Binary, $"a binary frame is expected, not {type} {System.Text.Encoding.UTF8.GetString(_buffer, 0, length)}");
        return _buffer[..length];
    }

    /// <summary>The next frame of any kind.</summary>
    public async Task<(WebSocketMessageType Type, byte[] Frame)> NextFrameAsync()
    {
        (WebSocketMessageType type, int length) = await ReadFrameAsync("a frame");
        return (type, _buffer[..length]);
    }

    public async Task<T> NextAsync<T>()
        where T : SignalMessage
    {
        (SignalMessage? message, WebSocketCloseStatus? close, string? reason) = await ReadAsync(typeof(T).Name);
        Assert.True(close is null, $"{typeof(T).Name} is expected and the server closed: {close} {reason}");
        return Assert.IsType<T>(message);
    }

    /// <summary>Reads messages of other kinds over, until one of this kind comes.</summary>
    public async Task<T> UntilAsync<T>()
        where T : SignalMessage
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            Assert.True(waited.Elapsed < Deadline, $"{typeof(T).Name} did not come within {Deadline}, other messages did");
            (SignalMessage? message, WebSocketCloseStatus? close, string? reason) = await ReadAsync(typeof(T).Name);
            Assert.True(close is null, $"{typeof(T).Name} is expected and the server closed: {close} {reason}");
            if (message is T found)
            {
                return found;
            }
        }
    }

    /// <summary>Reads an error and the close that follows it, and answers the close.</summary>
    public async Task ShouldBeClosedAsync(string code, int closeCode)
    {
        SignalMessage? last = null;
        while (true)
        {
            (SignalMessage? message, WebSocketCloseStatus? close, string? reason) = await ReadAsync($"close {code}");
            if (close is null)
            {
                last = message;
                continue;
            }

            Assert.Equal((closeCode, code), ((int)close, reason));
            Assert.Equal(code, Assert.IsType<ErrorMessage>(last).Code);
            using var timeout = new CancellationTokenSource(Deadline);
            await Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);
            return;
        }
    }

    public async Task CloseAsync()
    {
        using var timeout = new CancellationTokenSource(Deadline);
        await Socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);
    }

    public ValueTask DisposeAsync()
    {
        Socket.Abort();
        Socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<(SignalMessage? Message, WebSocketCloseStatus? Close, string? Reason)> ReadAsync(string what)
    {
        (WebSocketMessageType type, int length) = await ReadFrameAsync(what);
        if (type == WebSocketMessageType.Close)
        {
            return (null, Socket.CloseStatus, Socket.CloseStatusDescription);
        }

        Assert.True(type == WebSocketMessageType.Text, $"{what} is expected, not a binary frame of {length} bytes");
        Assert.True(SignalCodec.TryRead(_buffer.AsSpan(0, length), out SignalMessage? message, out string? problem), problem);
        return (message, null, null);
    }

    private Task<(WebSocketMessageType Type, int Length)> ReadFrameAsync(string what) => Socket.ReadFrameAsync(_buffer, Deadline, what);
}
