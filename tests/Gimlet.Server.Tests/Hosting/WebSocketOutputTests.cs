using System.Net.WebSockets;
using System.Text;
using Gimlet.Server.Hosting.WebSockets;
using Gimlet.Server.Observability;
using Gimlet.Server.Relay;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Hosting;

/// <summary>What goes out in which order, when the other side takes one frame at a time.</summary>
public sealed class WebSocketOutputTests : IDisposable
{
    private static readonly PeerId Peer = new(Enumerable.Repeat((byte)9, PeerId.Size).ToArray());
    private readonly RelayMemory _memory = new(512 * 1024, 16 * 1024 * 1024);
    private readonly GatedSocket _socket = new();
    private readonly WebSocketOutput _output;
    private readonly RelaySession _sender;
    private readonly RelayQueue _queue;

    public WebSocketOutputTests()
    {
        _output = new WebSocketOutput(_socket, TimeProvider.System);
        _sender = new RelaySession(new RendezvousLimits(), _memory, ServerMetrics.Detached, TimeSpan.Zero);
        _queue = new RelayQueue(_memory, ServerMetrics.Detached);
    }

    public void Dispose() => _socket.Dispose();

    [Fact]
    public async Task Text_overtakes_what_is_relayed_and_a_full_queue_has_lost_its_oldest()
    {
        Relay(0);
        Assert.Equal("relayed 0", await NextAsync(take: false));

        // The other side reads nothing: these wait, sixteen times what there is room for.
        for (int i = 1; i <= 128; i++)
        {
            Relay(i);
        }

        Assert.True(_output.TrySend(Encoding.UTF8.GetBytes("one")));
        Assert.True(_output.TrySend(Encoding.UTF8.GetBytes("two")));
        _socket.Take();
        Assert.Equal("one", await NextAsync());
        Assert.Equal("two", await NextAsync());
        for (int i = 121; i <= 128; i++)
        {
            Assert.Equal($"relayed {i}", await NextAsync());
        }

        Assert.Equal(120, _sender.Notices.TakeLimited(TimeSpan.FromSeconds(1))!.Dropped);
        Assert.Equal(0, _queue.Held);
    }

    [Fact]
    public async Task A_close_goes_out_after_the_text_and_before_what_is_relayed_and_is_the_last()
    {
        Relay(0);
        Assert.Equal("relayed 0", await NextAsync(take: false));
        Relay(1);
        Assert.True(_output.TrySend(Encoding.UTF8.GetBytes("one")));
        _output.Close(4001, "replaced");
        Assert.False(_output.TrySend(Encoding.UTF8.GetBytes("late")));
        _socket.Take();
        Assert.Equal("one", await NextAsync());
        Assert.Equal("4001 replaced", await NextAsync(take: false));
        Assert.False(_output.Ended.IsCompleted);
        _socket.Take();
        await _output.Ended.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.False(_socket.IsAborted);
    }

    // Frames of 64 KiB, eight of which are the queue.
    private void Relay(int number)
    {
        byte[] buffer = RelayBuffers.Rent(64 * 1024);
        int length = RelayFrame.WriteHeader(buffer, Peer, segmentSize: 1000, isBatch: true);
        _ = BitConverter.TryWriteBytes(buffer.AsSpan(length), number);
        if (_queue.Enqueue(_sender, new RelayedFrame(buffer, length + 50_000, 1, IsSingle: false)))
        {
            _output.RelayReady(_queue);
        }
    }

    private async Task<string> NextAsync(bool take = true)
    {
        (WebSocketMessageType type, byte[] frame) = await _socket.BegunAsync();
        if (take)
        {
            _socket.Take();
        }

        return type == WebSocketMessageType.Binary ? $"relayed {BitConverter.ToInt32(frame, RelayFrame.BatchHeaderLength)}" : Encoding.UTF8.GetString(frame);
    }
}
