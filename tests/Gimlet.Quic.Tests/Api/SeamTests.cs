using Gimlet.Quic.Tests.Api.Support;
using Gimlet.Sockets;

namespace Gimlet.Quic.Tests.Api;

/// <summary>An endpoint on somebody else's way out: paths are numbers, and sending may be impossible for a while.</summary>
public sealed class SeamTests : IAsyncLifetime
{
    private readonly MemoryNetwork _toServer = new();
    private readonly MemoryNetwork _toClient = new();
    private readonly QuicEndpoint _client;
    private readonly QuicEndpoint _server;
    private readonly QuicListener _listener;

    public SeamTests()
    {
        var options = new QuicEndpointOptions { ShutdownLinger = TimeSpan.Zero };
        _client = new QuicEndpoint(_toServer, options);
        _server = new QuicEndpoint(_toClient, options);
        _listener = _server.Listen(TestEndpoints.ServerOptions);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _toServer.DeliverTo(_server);
        _toClient.DeliverTo(_client);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
        _toServer.Dispose();
        _toClient.Dispose();
    }

    [Fact]
    public async Task A_path_is_a_number_and_is_held_as_long_as_a_connection_uses_it()
    {
        QuicConnection client = await _client.ConnectAsync(new QuicPath(1234), TestEndpoints.ClientOptions, Token);
        QuicConnection server = await _listener.AcceptConnectionAsync(Token);
        Assert.Equal(new QuicPath(1234), client.CurrentPath);
        Assert.Equal(new QuicPath(1234), server.CurrentPath);
        Assert.Null(client.RemoteEndPoint);
        Assert.Null(_client.LocalEndPoint);
        Assert.Equal(1, _toServer.Held[new QuicPath(1234)]);
        Assert.Equal(1, _toClient.Held[new QuicPath(1234)]);
        await client.CloseAsync(0, cancellationToken: Token);
        await Eventually.TrueAsync(() => _toServer.Held.Count == 0 && _toClient.Held.Count == 0);
        Assert.Equal((0, 0), (_client.ConnectionCount, _server.ConnectionCount));
        _ = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await _client.ConnectAsync(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 1), TestEndpoints.ClientOptions, Token));
    }

    [Fact]
    public async Task A_client_migrates_to_another_path_and_the_server_follows()
    {
        (QuicConnection client, QuicConnection server) = await ConnectAsync();
        System.Threading.Channels.ChannelReader<QuicPathEvent> events = client.PathEvents;
        await Eventually.TrueAsync(() => client.TryMigrate(new QuicPath(2)));
        var seen = new List<QuicPathEvent>();
        do
        {
            seen.Add(await events.ReadAsync(Token));
        }
        while (seen[^1] != new QuicPathEvent(QuicPathEventKind.InUse, new QuicPath(2)));
        Assert.Contains(new QuicPathEvent(QuicPathEventKind.Validated, new QuicPath(2)), seen);
        QuicStream stream = await client.OpenStreamAsync(QuicStreamType.Bidirectional, Token);
        await stream.WriteAsync(new byte[100_000], completeWrites: true, Token);
        Assert.Equal(100_000, (await (await server.AcceptStreamAsync(Token)).ReadAllAsync()).Length);
        await Eventually.TrueAsync(() => server.CurrentPath == new QuicPath(2));
        Assert.Equal(new QuicPath(2), client.CurrentPath);
        Assert.True(_toServer.Held.ContainsKey(new QuicPath(2)));
    }

    [Fact]
    public async Task Paths_that_failed_are_let_go_and_the_one_in_use_never_is()
    {
        (QuicConnection client, _) = await ConnectAsync();
        System.Threading.Channels.ChannelReader<QuicPathEvent> events = client.PathEvents;
        var nowhere = new QuicPath(MemoryNetwork.Nowhere);
        await Eventually.TrueAsync(() => client.TryMigrate(nowhere));
        Assert.Equal(1, _toServer.Held[nowhere]);
        while (await events.ReadAsync(Token) != new QuicPathEvent(QuicPathEventKind.Failed, nowhere))
        {
        }

        await Eventually.TrueAsync(() => !_toServer.Held.ContainsKey(nowhere));
        Assert.Equal(1, _toServer.Held[new QuicPath(1)]);
        Assert.Equal(new QuicPath(1), client.CurrentPath);
    }

    // The token's callbacks run the last one first: the dial ends while the token is cancelled and before the dial's own callback runs, which so
    // never does.
    [Fact]
    public async Task A_dial_that_is_cancelled_at_the_last_moment_leaves_no_connection()
    {
        using var stop = new CancellationTokenSource();
        _toServer.Room = 0;
        Task<QuicConnection> dial = _client.ConnectAsync(new QuicPath(1), TestEndpoints.ClientOptions, stop.Token).AsTask();
        using CancellationTokenRegistration last = stop.Token.Register(() =>
        {
            _toServer.Room = -1;
            _client.NotifyWritable();
            Assert.True(((IAsyncResult)dial).AsyncWaitHandle.WaitOne(TimeSpan.FromSeconds(20)), "the dial did not end");
        });
        await Task.Run(stop.Cancel, Token);
        OperationCanceledException exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial);
        Assert.Equal(stop.Token, exception.CancellationToken);
        QuicConnection server = await _listener.AcceptConnectionAsync(Token);
        _ = await server.Closed.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await Eventually.TrueAsync(() => _client.ConnectionCount == 0 && _server.ConnectionCount == 0);
    }

    [Fact]
    public async Task Datagrams_go_out_in_batches()
    {
        (QuicConnection client, QuicConnection server) = await ConnectAsync();
        await TransferAsync(client, server, 2_000_000);
        Assert.InRange(_toServer.LargestBatch, 8, 64);
    }

    [Fact]
    public async Task A_full_sender_loses_nothing_and_is_not_asked_until_it_has_room()
    {
        (QuicConnection client, QuicConnection server) = await ConnectAsync();
        _toServer.Room = 3;
        Task transfer = TransferAsync(client, server, 300_000);
        await Eventually.TrueAsync(() => _toServer.WouldBlocks >= 2);
        await Task.Delay(200, Token);
        int asked = _toServer.Sends;

        // A timeout or an acknowledgement may come in the meantime; none of them makes it send.
        await Task.Delay(300, Token);
        Assert.Equal(asked, _toServer.Sends);
        Assert.False(transfer.IsCompleted);
        for (int i = 0; !transfer.IsCompleted && i < 10_000; i++)
        {
            _toServer.Room = 3;
            _client.NotifyWritable();
            await Task.WhenAny(transfer, Task.Delay(1, Token));
        }

        await transfer;
        Assert.True(client.GetStatistics().PacketsLost < 50, $"{client.GetStatistics().PacketsLost} packets were lost, though nothing was dropped");
    }

    [Fact]
    public async Task Datagrams_that_are_refused_for_good_count_as_lost()
    {
        (QuicConnection client, QuicConnection server) = await ConnectAsync();
        _toServer.Failure = DatagramSendResult.Unreachable;
        Task transfer = TransferAsync(client, server, 50_000);
        await Eventually.TrueAsync(() => client.GetStatistics().ProbeTimeouts > 0);
        _toServer.Failure = null;
        await transfer;
    }

    [Fact]
    public async Task What_waited_for_room_and_is_then_refused_is_counted_and_sent_again()
    {
        using var notSent = new MeterReading("gimlet.quic.datagrams.not_sent");
        (QuicConnection client, QuicConnection server) = await ConnectAsync();
        _toServer.Room = 0;
        Task transfer = TransferAsync(client, server, 50_000);
        await Eventually.TrueAsync(() => _toServer.WouldBlocks > 0);
        long before = notSent.Value;
        _toServer.Failure = DatagramSendResult.Unreachable;
        _client.NotifyWritable();
        await Eventually.TrueAsync(() => notSent.Value > before);
        _toServer.Room = -1;
        _toServer.Failure = null;
        await transfer;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_write_in_the_middle_of_a_batch_that_ended_it_learns_who_did(bool isClose)
    {
        (QuicConnection client, QuicConnection server) = await ConnectAsync();
        QuicStream local = await client.OpenStreamAsync(QuicStreamType.Bidirectional, Token);
        await local.WriteAsync(new byte[1], Token);
        QuicStream remote = await server.AcceptStreamAsync(Token);
        _toServer.IsFlushing = false;
        if (isClose)
        {
            await client.CloseAsync(5, cancellationToken: Token);
        }
        else
        {
            local.Abort(QuicAbortDirection.Read, 5);
        }

        QuicException exception = await Assert.ThrowsAsync<QuicException>(async () =>
        {
            while (true)
            {
                await remote.WriteAsync(new byte[1], Token);
            }
        });
        Assert.Equal((isClose ? QuicErrorKind.ConnectionAborted : QuicErrorKind.StreamAborted, 5L), (exception.Kind, exception.ApplicationErrorCode));
    }

    [Fact]
    public async Task A_stateless_reset_ends_the_connection_of_a_server_that_forgot()
    {
        (QuicConnection client, QuicConnection server) = await ConnectAsync();
        QuicStream stream = await client.OpenStreamAsync(QuicStreamType.Bidirectional, Token);
        await stream.WriteAsync(new byte[1], Token);
        _ = await server.AcceptStreamAsync(Token);
        server.Host.Abandon();
        await stream.WriteAsync(new byte[1000], Token);
        QuicException end = await client.Closed.WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.Equal(QuicErrorKind.StatelessReset, end.Kind);
    }

    private static async Task TransferAsync(QuicConnection client, QuicConnection server, int length)
    {
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        QuicStream stream = await client.OpenStreamAsync(QuicStreamType.Unidirectional, Token);
        Task write = stream.WriteAsync(data, completeWrites: true, Token).AsTask();
        byte[] read = await (await server.AcceptStreamAsync(Token)).ReadAllAsync();
        await write;
        Assert.True(read.AsSpan().SequenceEqual(data));
    }

    private async Task<(QuicConnection Client, QuicConnection Server)> ConnectAsync()
    {
        QuicConnection client = await _client.ConnectAsync(new QuicPath(1), TestEndpoints.ClientOptions, Token);
        return (client, await _listener.AcceptConnectionAsync(Token));
    }
}
