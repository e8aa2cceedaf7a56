using System.Net.WebSockets;
using System.Threading.Channels;

namespace Gimlet.Server.Tests.Support;

/// <summary>A WebSocket whose other side takes a frame only when the test says so.</summary>
internal sealed class GatedSocket : WebSocket
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly Channel<(WebSocketMessageType Type, byte[] Frame)> _sending = Channel.CreateUnbounded<(WebSocketMessageType, byte[])>();
    private readonly SemaphoreSlim _taken = new(0);

    public bool IsAborted { get; private set; }

    public override WebSocketCloseStatus? CloseStatus => null;

    public override string? CloseStatusDescription => null;

    public override WebSocketState State => WebSocketState.Open;

    public override string? SubProtocol => null;

    /// <summary>The frame that is being sent, once there is one.</summary>
    public async Task<(WebSocketMessageType Type, byte[] Frame)> BegunAsync() =>
        await _sending.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Deadline, TestContext.Current.CancellationToken);

    /// <summary>The other side takes the frame that is being sent.</summary>
    public void Take() => _taken.Release();

    public override async Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
    {
        Assert.True(_sending.Writer.TryWrite((messageType, buffer.ToArray())));
        await _taken.WaitAsync(cancellationToken);
    }

    public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
        SendAsync(System.Text.Encoding.UTF8.GetBytes($"{(int)closeStatus} {statusDescription}"), WebSocketMessageType.Close, endOfMessage: true, cancellationToken);

    public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Who sends does not wait for the other side's close.");

    public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) =>
        throw new NotSupportedException("It only sends.");

    public override void Abort() => IsAborted = true;

    public override void Dispose() => _taken.Dispose();
}
