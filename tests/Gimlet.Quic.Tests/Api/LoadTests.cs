using System.Diagnostics;
using System.Net;
using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

public sealed class LoadTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_thousand_connections_side_by_side_carry_bytes_and_leave_nothing()
    {
        const int Count = 1000;
        await using var endpoints = TestEndpoints.Create(TestEndpoints.ServerOptions with { AcceptBacklog = Count });
        Task serve = Task.Run(
            async () =>
            {
                for (int i = 0; i < Count; i++)
                {
                    _ = EchoAsync(await endpoints.Listener.AcceptConnectionAsync(Token));
                }
            },
            Token);
        QuicClientOptions options = TestEndpoints.ClientOptions with { HandshakeTimeout = TimeSpan.FromSeconds(60) };
        var connections = new QuicConnection[Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Count),
            new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = Token },
            async (i, token) =>
            {
                connections[i] = await endpoints.Client.ConnectAsync(endpoints.Server.LocalEndPoint!, options, token);
                await using QuicStream stream = await connections[i].OpenStreamAsync(QuicStreamType.Bidirectional, token);
                await stream.WriteAsync(BitConverter.GetBytes(i), completeWrites: true, token);
                Assert.Equal(BitConverter.GetBytes(i), await stream.ReadAllAsync());
            });
        await serve;
        Assert.Equal(Count, endpoints.Client.ConnectionCount);
        Assert.Equal(Count, endpoints.Server.ConnectionCount);
        foreach (QuicConnection connection in connections)
        {
            await connection.DisposeAsync();
        }

        await Eventually.TrueAsync(() => endpoints.Client.ConnectionCount == 0 && endpoints.Server.ConnectionCount == 0);
    }

    [Fact]
    public async Task An_idle_connection_costs_less_than_20_KB_at_each_end()
    {
        const int Count = 400;
        await using var endpoints = TestEndpoints.Create();
        var connections = new List<QuicConnection>();
        for (int i = 0; i < 50; i++)
        {
            await AddAsync();
        }

        // Certificates and TLS's leftovers are garbage by then.
        await Task.Delay(200, Token);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < Count; i++)
        {
            await AddAsync();
        }

        await Task.Delay(200, Token);
        long each = (GC.GetTotalMemory(forceFullCollection: true) - before) / (2 * Count);
        TestContext.Current.TestOutputHelper?.WriteLine($"{each} bytes of managed memory for each end of a connection");
        Assert.InRange(each, 0, 20 * 1024);
        GC.KeepAlive(connections);

        async Task AddAsync()
        {
            (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
            connections.Add(client);
            connections.Add(server);
        }
    }

    [Fact]
    public async Task Disposed_of_under_load_everything_ends_and_twice_is_once()
    {
        var endpoints = TestEndpoints.Create();
        var work = new List<Task>();
        for (int i = 0; i < 10; i++)
        {
            (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
            _ = EchoAsync(server);
            work.Add(PumpAsync(client));
        }

        await Task.Delay(200, Token);
        await Task.WhenAll(endpoints.Server.DisposeAsync().AsTask(), endpoints.Server.DisposeAsync().AsTask());
        foreach (Task task in work)
        {
            QuicException exception = await Assert.ThrowsAsync<QuicException>(() => task.WaitAsync(TimeSpan.FromSeconds(30), Token));
            Assert.Equal(QuicErrorKind.ConnectionAborted, exception.Kind);
        }

        await endpoints.Client.DisposeAsync();
        await endpoints.Client.DisposeAsync();
        Assert.Equal((0, 0), (endpoints.Client.ConnectionCount, endpoints.Server.ConnectionCount));
        _ = await Assert.ThrowsAsync<ObjectDisposedException>(
            async () => await endpoints.Client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, 1), TestEndpoints.ClientOptions, Token));
        _ = Assert.Throws<ObjectDisposedException>(() => endpoints.Client.Listen(TestEndpoints.ServerOptions));
    }

    [Fact]
    public async Task Disposing_of_an_endpoint_tells_its_peers()
    {
        var endpoints = TestEndpoints.Create(options: new QuicEndpointOptions { ShutdownLinger = TimeSpan.FromSeconds(2) });
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        Task<QuicConnection> waiting = endpoints.Listener.AcceptConnectionAsync(Token).AsTask();
        long begin = Stopwatch.GetTimestamp();
        await endpoints.Server.DisposeAsync();
        Assert.InRange(Stopwatch.GetElapsedTime(begin), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Equal(QuicErrorKind.ConnectionAborted, (await client.Closed.WaitAsync(Token)).Kind);
        Assert.Equal(QuicErrorKind.OperationAborted, (await server.Closed.WaitAsync(Token)).Kind);
        _ = await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await endpoints.DisposeAsync();
    }

    [Fact]
    public async Task Reads_and_writes_allocate_nothing_once_they_are_warm()
    {
        await using var pair = await StreamPair.CreateAsync();
        byte[] question = new byte[1000];
        byte[] answer = new byte[1000];
        Task echo = Task.Run(
            async () =>
            {
                byte[] buffer = new byte[1000];
                while (await pair.Remote.ReadAsync(buffer, Token) is int count and > 0)
                {
                    await pair.Remote.WriteAsync(buffer.AsMemory(0, count), Token);
                }
            },
            Token);
        long allocated = 0;
        for (int round = 0; round < 2; round++)
        {
            await Task.Delay(100, Token);
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < 3000; i++)
            {
                await pair.Local.WriteAsync(question, Token);
                for (int at = 0; at < answer.Length;)
                {
                    at += await pair.Local.ReadAsync(answer.AsMemory(at), Token);
                }
            }

            allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        pair.Local.CompleteWrites();
        await echo;

        // Of the whole process: what other tests run beside this one is in it, and the first touch of pooled segments. An object for each operation would be 40
        // bytes at least, four times per round trip.
        TestContext.Current.TestOutputHelper?.WriteLine($"{allocated / 3000.0} bytes per round trip");
        Assert.InRange(allocated / 3000, 0, 40);
    }

    private static async Task EchoAsync(QuicConnection connection)
    {
        try
        {
            while (true)
            {
                QuicStream stream = await connection.AcceptStreamAsync(Token);
                await stream.CopyToAsync(stream, Token);
                await stream.DisposeAsync();
            }
        }
        catch (Exception e) when (e is QuicException or ObjectDisposedException)
        {
            // The connection has ended.
        }
    }

    private static async Task PumpAsync(QuicConnection connection)
    {
        QuicStream stream = await connection.OpenStreamAsync(QuicStreamType.Bidirectional, Token);
        byte[] buffer = new byte[50_000];
        while (true)
        {
            await stream.WriteAsync(buffer, Token);
            await stream.ReadExactlyAsync(buffer, Token);
        }
    }
}
