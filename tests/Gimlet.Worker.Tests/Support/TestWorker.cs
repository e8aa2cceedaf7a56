using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Gimlet.Worker.Tests.Support;

/// <summary>A worker as its rendezvous sees it: one WebSocket.</summary>
internal sealed class TestWorker(string id, WebSocket socket, string authority)
{
    private readonly Channel<string> _said = Channel.CreateUnbounded<string>();
    private readonly Lock _gate = new();
    private Task _sending = Task.CompletedTask;

    public string Id { get; } = id;

    public string Authority { get; } = authority;

    public (string Ip, int Port)? Endpoint { get; set; }

    public PeerId? PeerId { get; set; }

    public byte[]? Nonce { get; set; }

    public string? PairedWith { get; set; }

    /// <summary>How the worker closed: the code, once it has.</summary>
    public TaskCompletionSource<WebSocketCloseStatus?> Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits for the next message of a type; others before it are skipped.</summary>
    public async Task<string> SaidAsync(string type)
    {
        while (true)
        {
            string text = await _said.Reader.ReadAsync(TestContext.Current.CancellationToken).Within();
            if ((string?)JsonNode.Parse(text)!["type"] == type)
            {
                return text;
            }
        }
    }

    /// <summary>Sends a text after those that were sent before.</summary>
    public Task SendAsync(string text)
    {
        lock (_gate)
        {
            _sending = SendAfterAsync(_sending, text);
            return _sending;
        }
    }

    public Task CloseAsync(WebSocketCloseStatus status, string reason) => socket.CloseOutputAsync(status, reason, TestContext.Current.CancellationToken);

    public void Abort() => socket.Abort();

    public async IAsyncEnumerable<JsonObject> ReadAsync()
    {
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            WebSocketReceiveResult part;
            try
            {
                part = await socket.ReceiveAsync(buffer, CancellationToken.None);
            }
            catch (WebSocketException)
            {
                _ = Closed.TrySetResult(null);
                yield break;
            }

            if (part.MessageType == WebSocketMessageType.Close)
            {
                _ = Closed.TrySetResult(socket.CloseStatus);
                yield break;
            }

            string text = Encoding.UTF8.GetString(buffer, 0, part.Count);
            _ = _said.Writer.TryWrite(text);
            yield return JsonNode.Parse(text)!.AsObject();
        }
    }

    private async Task SendAfterAsync(Task before, string text)
    {
        await before;
        try
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
        }
        catch (WebSocketException)
        {
            // It left in this very moment.
        }
    }
}
