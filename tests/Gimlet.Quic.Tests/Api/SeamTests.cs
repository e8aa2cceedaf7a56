using Gimlet.Quic.Tests.Api.Support;
using Gimlet.Sockets;

namespace Gimlet.Quic.Tests.Api;

/// <summary>An endpoint on somebody else's way out: paths are numbers, and sending may be impossible for a while.</summary>
public sealed class SeamTests : IAsyncDisposable
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    private readonly MemoryEndpoints _endpoints = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _endpoints.DisposeAsync();

    [Fact]
    public async Task A_path_is_a_number_and_is_held_as_long_as_a_connection_uses_it()
    {
        QuicConnection client = await _endpoints.Client.ConnectAsync(new QuicPath(1234), TestEndpoints.ClientOptions, Token);
        QuicConnection server = await _endpoints.Listener.AcceptConnectionAsync(Token);
        Assert.Equal(new QuicPath(1234), client.CurrentPath);
        Assert.Equal(new QuicPath(1234), server.CurrentPath);
        Assert.Null(client.RemoteEndPoint);
        Assert.Null(_endpoints.Client.LocalEndPoint);
        Assert.Equal(1, _endpoints.ToServer.Held[new QuicPath(1234)]);
        Assert.Equal(1, _endpoints.ToClient.Held[new QuicPath(1234)]);
        await client.CloseAsync(0, cancellationToken: Token);
        await Eventually.TrueAsync(() => _endpoints.ToServer.Held.Count == 0 && _endpoints.ToClient.Held.Count == 0);
        Assert.Equal((0, 0), (_endpoints.Client.ConnectionCount, _endpoints.Server.ConnectionCount));
        _ = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await _endpoints.Client.ConnectAsync(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 1), TestEndpoints.ClientOptions, Token));
    }

    [Fact]
    public async Task A_client_migrates_to_another_path_and_the_server_follows()
    {
        (QuicConnection client, QuicConnection server) = await _endpoints.ConnectAsync();
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
        Assert.True(_endpoints.ToServer.Held.ContainsKey(new QuicPath(2)));
    }

    [Fact]
    public async Task Paths_that_failed_are_let_go_and_the_one_in_use_never_is()
    {
        (QuicConnection client, _) = await _endpoints.ConnectAsync();
        System.Threading.Channels.ChannelReader<QuicPathEvent> events = client.PathEvents;
        var nowhere = new QuicPath(MemoryNetwork.Nowhere);
        await Eventually.TrueAsync(() => client.TryMigrate(nowhere));
        Assert.Equal(1, _endpoints.ToServer.Held[nowhere]);
        while (await events.ReadAsync(Token) != new QuicPathEvent(QuicPathEventKind.Failed, nowhere))
        {
        }

        await Eventually.TrueAsync(() => !_endpoints.ToServer.Held.ContainsKey(nowhere));
        Assert.Equal(1, _endpoints.ToServer.Held[new QuicPath(1)]);
        Assert.Equal(new QuicPath(1), client.CurrentPath);
    }

    // The token's callbacks run the last one first: the dial ends while the token is cancelled and before the dial's own callback runs, which so
    // never does.
    [Fact]
    public async Task A_dial_that_is_cancelled_at_the_last_moment_leaves_no_connection()
    {
        using var stop = new CancellationTokenSource();
        _endpoints.ToServer.Room = 0;
        Task<QuicConnection> dial = _endpoints.Client.ConnectAsync(new QuicPath(1), TestEndpoints.ClientOptions, stop.Token).AsTask();
        using CancellationTokenRegistration last = stop.Token.Register(() =>
        {
            _endpoints.ToServer.Room = -1;
            _endpoints.Client.NotifyWritable();
            Assert.True(((IAsyncResult)dial).AsyncWaitHandle.WaitOne(TimeSpan.FromSeconds(20)), "the dial did not end");
        });
        await Task.Run(stop.Cancel, Token);
        OperationCanceledException exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial);
        Assert.Equal(stop.Token, exception.CancellationToken);
        QuicConnection server = await _endpoints.Listener.AcceptConnectionAsync(Token);
        _ = await server.Closed.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await Eventually.TrueAsync(() => _endpoints.Client.ConnectionCount == 0 && _endpoints.Server.ConnectionCount == 0);
    }

    [Fact]
    public async Task Datagrams_go_out_in_batches()
    {
        (QuicConnection client, QuicConnection server) = await _endpoints.ConnectAsync();
        await TransferAsync(client, server, 2_000_000);
        Assert.InRange(_endpoints.ToServer.LargestBatch, 8, 64);
    }

    [Fact]
    public async Task A_full_sender_loses_nothing_and_is_not_asked_until_it_has_room()
    {
        var time = new ManualTime();
        await using var endpoints = new MemoryEndpoints(clientTime: time, serverTime: time);
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        endpoints.ToServer.Room = 3;
        Task transfer = TransferAsync(client, server, 300_000);
        await Eventually.TrueAsync(() => endpoints.ToServer.WouldBlocks >= 2);
        endpoints.Elapse(time, TimeSpan.FromMilliseconds(200), Millisecond);
        int asked = endpoints.ToServer.Sends;

        // Timeouts and acknowledgements come in the meantime; none of them makes it send.
        endpoints.Elapse(time, TimeSpan.FromMilliseconds(300), Millisecond);
        Assert.Equal(asked, endpoints.ToServer.Sends);
        Assert.False(transfer.IsCompleted);
        await Eventually.TrueAsync(() =>
        {
            endpoints.ToServer.Room = 3;
            endpoints.Client.NotifyWritable();
            endpoints.Elapse(time, Millisecond, Millisecond);
            return transfer.IsCompleted;
        });
        await transfer;
        Assert.True(client.GetStatistics().PacketsLost < 50, $"{client.GetStatistics().PacketsLost} packets were lost, though nothing was dropped");
    }

    [Fact]
    public async Task Datagrams_that_are_refused_for_good_count_as_lost()
    {
        (QuicConnection client, QuicConnection server) = await _endpoints.ConnectAsync();
        _endpoints.ToServer.Failure = DatagramSendResult.Unreachable;
        Task transfer = TransferAsync(client, server, 50_000);
        await Eventually.TrueAsync(() => client.GetStatistics().ProbeTimeouts > 0);
        _endpoints.ToServer.Failure = null;
        await transfer;
    }

    [Fact]
    public async Task What_waited_for_room_and_is_then_refused_is_counted_and_sent_again()
    {
        using var notSent = new MeterReading("gimlet.quic.datagrams.not_sent");
        (QuicConnection client, QuicConnection server) = await _endpoints.ConnectAsync();
        _endpoints.ToServer.Room = 0;
        Task transfer = TransferAsync(client, server, 50_000);
        await Eventually.TrueAsync(() => _endpoints.ToServer.WouldBlocks > 0);
        long before = notSent.Value;
        _endpoints.ToServer.Failure = DatagramSendResult.Unreachable;
        _endpoints.Client.NotifyWritable();
        await Eventually.TrueAsync(() => notSent.Value > before);
        _endpoints.ToServer.Room = -1;
        _endpoints.ToServer.Failure = null;
        await transfer;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_write_in_the_middle_of_a_batch_that_ended_it_learns_who_did(bool isClose)
    {
        (QuicConnection client, QuicConnection server) = await _endpoints.ConnectAsync();
        QuicStream local = await client.OpenStreamAsync(QuicStreamType.Bidirectional, Token);
        await local.WriteAsync(new byte[1], Token);
        QuicStream remote = await server.AcceptStreamAsync(Token);
        _endpoints.ToServer.IsFlushing = false;
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
        (QuicConnection client, QuicConnection server) = await _endpoints.ConnectAsync();
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
}
