using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

/// <summary>Cancellation at every point loses no byte and sends none twice, and the stream goes on.</summary>
public sealed class CancellationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_that_is_cancelled_already_does_nothing()
    {
        await using var pair = await StreamPair.CreateAsync();
        var cancelled = new CancellationToken(canceled: true);
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Local.WriteAsync(new byte[5], cancelled));
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pair.Local.ReadAsync(new byte[5], cancelled).AsTask());
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Client.OpenStreamAsync(QuicStreamType.Bidirectional, cancelled));
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Server.AcceptStreamAsync(cancelled));
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Client.ReceiveDatagramAsync(new byte[5], cancelled));
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Client.CloseAsync(1, null, cancelled));
        Assert.Equal(1, pair.Local.BytesWritten);
        await pair.Local.WriteAsync(new byte[] { 7 }, Token);
        Assert.Equal(1, await pair.Remote.ReadAsync(new byte[5], Token));
    }

    [Fact]
    public async Task Cancelled_reads_and_writes_lose_no_byte_and_repeat_none()
    {
        await using var pair = await StreamPair.CreateAsync(
            server: TestEndpoints.ServerOptions with { StreamWindow = 64 * 1024, ConnectionWindow = 64 * 1024 },
            client: TestEndpoints.ClientOptions with { SendBufferBytes = 32 * 1024 });
        byte[] data = new byte[4_000_000];
        new Random(1).NextBytes(data);
        Task<int> writing = WriteWithCancellationsAsync(pair.Local, data);
        (byte[] read, int cancelledReads) = await ReadWithCancellationsAsync(pair.Remote, data.Length);
        int cancelledWrites = await writing;
        Assert.True(read.AsSpan().SequenceEqual(data), "the bytes that were read are not the ones that were written");
        Assert.True(cancelledWrites > 5, $"only {cancelledWrites} writes were cancelled");
        Assert.True(cancelledReads > 5, $"only {cancelledReads} reads were cancelled");
    }

    [Fact]
    public async Task A_write_that_was_cancelled_does_not_end_the_stream()
    {
        await using var pair = await StreamPair.CreateAsync(client: TestEndpoints.ClientOptions with { SendBufferBytes = 1000 });
        byte[] data = new byte[50_000];
        new Random(2).NextBytes(data);
        using var stop = new CancellationTokenSource();
        Task write = pair.Local.WriteAsync(data, completeWrites: true, stop.Token).AsTask();
        await stop.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
        int taken = (int)pair.Local.BytesWritten - 1;
        Assert.InRange(taken, 1, data.Length - 1);
        Task rest = pair.Local.WriteAsync(data.AsMemory(taken), completeWrites: true, Token).AsTask();
        Assert.True((await pair.Remote.ReadAllAsync()).AsSpan().SequenceEqual(data));
        await rest;
    }

    [Fact]
    public async Task A_cancelled_dial_tells_the_peer_and_leaves_nothing()
    {
        await using var endpoints = TestEndpoints.Create();
        using var stop = new CancellationTokenSource();
        ValueTask<QuicConnection> dial = endpoints.Client.ConnectAsync(endpoints.Server.LocalEndPoint!, TestEndpoints.ClientOptions, stop.Token);
        await stop.CancelAsync();
        OperationCanceledException exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await dial);
        Assert.Equal(stop.Token, exception.CancellationToken);
        await Eventually.TrueAsync(() => endpoints.Client.ConnectionCount == 0 && endpoints.Server.ConnectionCount == 0);
    }

    [Fact]
    public async Task A_cancelled_accept_takes_no_connection_and_no_stream()
    {
        await using var endpoints = TestEndpoints.Create();
        using var stop = new CancellationTokenSource();
        Task<QuicConnection> first = endpoints.Listener.AcceptConnectionAsync(stop.Token).AsTask();
        await stop.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        using var stopStream = new CancellationTokenSource();
        Task<QuicStream> accept = server.AcceptStreamAsync(stopStream.Token).AsTask();
        await stopStream.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accept);
        QuicStream stream = await client.OpenStreamAsync(QuicStreamType.Bidirectional, Token);
        await stream.WriteAsync(new byte[1], Token);
        Assert.Equal(stream.Id, (await server.AcceptStreamAsync(Token)).Id);
    }

    [Fact]
    public async Task A_cancelled_open_leaves_its_place_to_the_next()
    {
        await using var pair = await StreamPair.CreateAsync(server: TestEndpoints.ServerOptions with { MaxInboundBidirectionalStreams = 1 });
        using var stop = new CancellationTokenSource();
        Task<QuicStream> first = pair.Client.OpenStreamAsync(QuicStreamType.Bidirectional, stop.Token).AsTask();
        Task<QuicStream> second = pair.Client.OpenStreamAsync(QuicStreamType.Bidirectional, Token).AsTask();
        Assert.False(first.IsCompleted);
        await stop.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.False(second.IsCompleted);
        pair.Local.CompleteWrites();
        pair.Remote.CompleteWrites();
        _ = await pair.Remote.ReadAllAsync();
        _ = await pair.Local.ReadAllAsync();
        Assert.Equal(4, (await second.WaitAsync(Token)).Id);
    }

    private static async Task<int> WriteWithCancellationsAsync(QuicStream stream, byte[] data)
    {
        long begin = stream.BytesWritten;
        int cancelled = 0;
        while (stream.BytesWritten - begin < data.Length)
        {
            using var stop = new CancellationTokenSource();
            int at = (int)(stream.BytesWritten - begin);
            ValueTask write = stream.WriteAsync(data.AsMemory(at, Math.Min(300_000, data.Length - at)), stop.Token);
            if (!write.IsCompleted)
            {
                await Task.Yield();
                await stop.CancelAsync();
            }

            try
            {
                await write;
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
        }

        stream.CompleteWrites();
        return cancelled;
    }

    private static async Task<(byte[] Bytes, int Cancelled)> ReadWithCancellationsAsync(QuicStream stream, int length)
    {
        byte[] all = new byte[length];
        int cancelled = 0;
        int at = 0;
        while (at < length)
        {
            using var stop = new CancellationTokenSource();
            ValueTask<int> read = stream.ReadAsync(all.AsMemory(at), stop.Token);
            if (!read.IsCompleted)
            {
                await Task.Yield();
                await stop.CancelAsync();
            }

            try
            {
                int count = await read;
                Assert.NotEqual(0, count);
                at += count;
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
        }

        Assert.Equal(0, await stream.ReadAsync(new byte[1], Token));
        return (all, cancelled);
    }
}
