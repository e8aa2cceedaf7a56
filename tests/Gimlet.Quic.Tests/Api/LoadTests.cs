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
    public async Task Disposed_of_under_load_everything_ends_and_twice_is_once()
    {
        var endpoints = TestEndpoints.Create();
        var work = new List<Task>();
        int[] rounds = new int[10];
        for (int i = 0; i < rounds.Length; i++)
        {
            (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
            _ = EchoAsync(server);
            work.Add(PumpAsync(client, rounds, i));
        }

        await Eventually.TrueAsync(() => rounds.All(static r => r > 0));
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

    private static async Task PumpAsync(QuicConnection connection, int[] rounds, int index)
    {
        QuicStream stream = await connection.OpenStreamAsync(QuicStreamType.Bidirectional, Token);
        byte[] buffer = new byte[50_000];
        while (true)
        {
            await stream.WriteAsync(buffer, Token);
            await stream.ReadExactlyAsync(buffer, Token);
            _ = Interlocked.Increment(ref rounds[index]);
        }
    }
}
