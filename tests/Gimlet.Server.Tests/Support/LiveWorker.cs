using System.Net.WebSockets;
using System.Text;
using Gimlet.Identity;

namespace Gimlet.Server.Tests.Support;

/// <summary>A worker on a real WebSocket. Every wait has a deadline, and fails with what was waited for.</summary>
internal sealed class LiveWorker : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly byte[] _buffer = new byte[64 * 1024];

    private LiveWorker(ClientWebSocket socket, string id)
    {
        Socket = socket;
        Id = id;
    }

    public ClientWebSocket Socket { get; }

    public string Id { get; }

    public static async Task<LiveWorker> ConnectAsync(Uri url, string id, string? group = null, Action<ClientWebSocketOptions>? with = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.KeepAliveInterval = Timeout.InfiniteTimeSpan;
        with?.Invoke(socket.Options);
        using var timeout = new CancellationTokenSource(Deadline);
        await socket.ConnectAsync(UrlOf(url, id, group), timeout.Token);
        return new LiveWorker(socket, id);
    }

    public static async Task<LiveWorker> ReadyAsync(Uri url, string id, string udp = "203.0.113.7", int port = 41002)
    {
        LiveWorker worker = await ConnectAsync(url, id);
        await worker.SendAsync($$"""{"type":"update_udp_endpoint","udp_ip":"{{udp}}","udp_port":{{port}}}""");
        await worker.ShouldHearAsync("""{"type":"udp_endpoint_ack","status":"success"}""");
        return worker;
    }

    public static Uri UrlOf(Uri url, string id, string? group = null) =>
        new($"ws://{url.Authority}/ws/register/{id}{(group is null ? "" : $"?group={group}")}");

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    public async Task SendAsync(byte[] frame, WebSocketMessageType type = WebSocketMessageType.Text, bool isEnd = true)
    {
        using var timeout = new CancellationTokenSource(Deadline);
        await Socket.SendAsync(frame, type, isEnd, timeout.Token);
    }

    public async Task ProveAsync(NodeIdentity identity, string authority)
    {
        await SendAsync("""{"type":"prove_peer_id"}""");
        byte[] nonce = WorkerKeys.NonceOf(await NextAsync("a challenge"));
        await SendAsync(WorkerKeys.Proof(identity, authority, Id, nonce));
    }

    public async Task<string> NextAsync(string what)
    {
        (WebSocketMessageType type, int length) = await ReadAsync(what);
        Assert.True(type == WebSocketMessageType.Text, $"{what} is expected, not {type} {Socket.CloseStatus} {Socket.CloseStatusDescription}");
        return Encoding.UTF8.GetString(_buffer, 0, length);
    }

    public async Task ShouldHearAsync(string expected) => Assert.Equal(expected, await NextAsync(expected));

    /// <summary>Proves that the other side still listens, and that nothing else came before.</summary>
    public async Task ShouldBeAliveAsync()
    {
        await SendAsync("""{"type":"echo_request","payload":"alive"}""");
        await ShouldHearAsync($$"""{"type":"echo_response","original_payload":"alive","processed_by_rendezvous":"Rendezvous processed echo for {{Id}}"}""");
    }

    public async Task ShouldBeClosedAsync(int code, string reason)
    {
        (WebSocketMessageType type, int length) = await ReadAsync($"close {code} {reason}");
        Assert.True(type == WebSocketMessageType.Close, $"close {code} {reason} is expected, not {Encoding.UTF8.GetString(_buffer, 0, length)}");
        Assert.Equal((code, reason), ((int)Socket.CloseStatus!, Socket.CloseStatusDescription));
        using var timeout = new CancellationTokenSource(Deadline);
        await Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);
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

    private Task<(WebSocketMessageType Type, int Length)> ReadAsync(string what) => Socket.ReadFrameAsync(_buffer, Deadline, what);
}
