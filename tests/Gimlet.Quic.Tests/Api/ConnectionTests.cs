using System.Net;
using System.Net.Security;
using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

public sealed class ConnectionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_close_reaches_everyone_who_waits_on_either_side()
    {
        await using var pair = await StreamPair.CreateAsync();
        Task<QuicStream> accept = pair.Server.AcceptStreamAsync(Token).AsTask();
        Task<int> read = pair.Remote.ReadAsync(new byte[1], Token).AsTask();
        Task write = pair.Remote.WriteAsync(new byte[64 * 1024 * 1024], Token).AsTask();
        Task datagram = pair.Server.ReceiveDatagramAsync(Token).AsTask();
        Task<QuicStream> ownAccept = pair.Client.AcceptStreamAsync(Token).AsTask();
        await pair.Client.CloseAsync(42, "enough", Token);
        await pair.Client.CloseAsync(43, "ignored", Token);
        foreach (Task task in (Task[])[accept, read, write, datagram, pair.Remote.ReadsClosed, pair.Remote.WritesClosed])
        {
            AssertClosed(await Assert.ThrowsAsync<QuicException>(() => task.WaitAsync(Token)), QuicErrorKind.ConnectionAborted, 42, "enough");
        }

        AssertClosed(await pair.Server.Closed.WaitAsync(Token), QuicErrorKind.ConnectionAborted, 42, "enough");
        AssertClosed(await pair.Client.Closed.WaitAsync(Token), QuicErrorKind.OperationAborted, 42, "enough");
        _ = await Assert.ThrowsAsync<QuicException>(() => ownAccept);
        _ = await Assert.ThrowsAsync<QuicException>(async () => await pair.Client.OpenStreamAsync(QuicStreamType.Bidirectional, Token));
        _ = await Assert.ThrowsAsync<QuicException>(async () => await pair.Client.AcceptStreamAsync(Token));
        _ = await Assert.ThrowsAsync<QuicException>(async () => await pair.Local.WriteAsync(new byte[1], Token));
        _ = Assert.Throws<QuicException>(() => pair.Client.SendDatagram(new byte[1]));
        _ = await Assert.ThrowsAsync<QuicException>(async () => await pair.Client.ReceiveDatagramAsync(Token));
        Assert.Equal(0, pair.Client.MaxDatagramSize);
        Assert.False(pair.Client.UpdateKeys());
        pair.Client.Ping();
        await pair.Client.DisposeAsync();
        await pair.Server.DisposeAsync();
        Assert.True(pair.Client.GetStatistics().PacketsSent > 0);
    }

    [Fact]
    public async Task What_came_before_the_close_can_still_be_read()
    {
        await using var endpoints = TestEndpoints.Create();
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        QuicStream stream = await client.OpenStreamAsync(QuicStreamType.Unidirectional, Token);
        byte[] data = new byte[200_000];
        new Random(5).NextBytes(data);
        await stream.WriteAsync(data, completeWrites: true, Token);
        await stream.WritesClosed.WaitAsync(Token);
        await client.CloseAsync(1, cancellationToken: Token);
        _ = await server.Closed.WaitAsync(Token);
        await Eventually.TrueAsync(() => endpoints.Server.ConnectionCount == 0);
        QuicStream accepted = await server.AcceptStreamAsync(Token);
        Assert.True((await accepted.ReadAllAsync()).AsSpan().SequenceEqual(data));
        await accepted.ReadsClosed.WaitAsync(Token);
        QuicException end = await Assert.ThrowsAsync<QuicException>(async () => await server.AcceptStreamAsync(Token));
        Assert.Equal(QuicErrorKind.ConnectionAborted, end.Kind);
    }

    [Fact]
    public async Task Opening_waits_for_the_peers_limit_in_order()
    {
        await using var pair = await StreamPair.CreateAsync(server: TestEndpoints.ServerOptions with { MaxInboundBidirectionalStreams = 2 });
        QuicStream second = await pair.Client.OpenStreamAsync(QuicStreamType.Bidirectional, Token);
        Task<QuicStream> third = pair.Client.OpenStreamAsync(QuicStreamType.Bidirectional, Token).AsTask();
        Task<QuicStream> fourth = pair.Client.OpenStreamAsync(QuicStreamType.Bidirectional, Token).AsTask();
        QuicStream remoteSecond = await RoundTripAsync(second, pair.Server);
        Assert.False(third.IsCompleted);
        await EndAsync(pair.Local, pair.Remote);
        Assert.Equal(8, (await third.WaitAsync(Token)).Id);
        Assert.False(fourth.IsCompleted);
        await EndAsync(second, remoteSecond);
        Assert.Equal(12, (await fourth.WaitAsync(Token)).Id);
    }

    [Fact]
    public async Task Streams_that_the_application_did_not_accept_count_against_the_limit()
    {
        await using var endpoints = TestEndpoints.Create(TestEndpoints.ServerOptions with { MaxInboundUnidirectionalStreams = 3 });
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        for (int i = 0; i < 3; i++)
        {
            QuicStream stream = await client.OpenStreamAsync(QuicStreamType.Unidirectional, Token);
            await stream.WriteAsync(new byte[] { (byte)i }, Token);
            stream.Abort(QuicAbortDirection.Write, 1);
        }

        Task<QuicStream> fourth = client.OpenStreamAsync(QuicStreamType.Unidirectional, Token).AsTask();
        Assert.Equal(QuicDatagramSendResult.Queued, client.SendDatagram("?"u8));
        Assert.Equal(1, await server.ReceiveDatagramAsync(new byte[1], Token));
        Assert.Equal(QuicDatagramSendResult.Queued, server.SendDatagram("!"u8));
        Assert.Equal(1, await client.ReceiveDatagramAsync(new byte[1], Token));

        // The server has had all that the client sent, and what it answered has come.
        Assert.False(fourth.IsCompleted);
        await (await server.AcceptStreamAsync(Token)).DisposeAsync();
        _ = await fourth.WaitAsync(Token);
    }

    [Fact]
    public async Task Several_may_wait_for_streams_and_each_gets_one()
    {
        await using var endpoints = TestEndpoints.Create();
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        using var stop = new CancellationTokenSource();
        Task<QuicStream> first = server.AcceptStreamAsync(Token).AsTask();
        Task<QuicStream> cancelled = server.AcceptStreamAsync(stop.Token).AsTask();
        Task<QuicStream> third = server.AcceptStreamAsync(Token).AsTask();
        await stop.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        for (int i = 0; i < 2; i++)
        {
            await (await client.OpenStreamAsync(QuicStreamType.Bidirectional, Token)).WriteAsync(new byte[1], Token);
        }

        Assert.Equal([0, 4], (await Task.WhenAll(first, third)).Select(s => s.Id).Order());
        Task<QuicStream> fourth = server.AcceptStreamAsync(Token).AsTask();
        Task<QuicStream> fifth = server.AcceptStreamAsync(Token).AsTask();
        await client.CloseAsync(1, cancellationToken: Token);
        _ = await Assert.ThrowsAsync<QuicException>(() => fourth);
        _ = await Assert.ThrowsAsync<QuicException>(() => fifth);
    }

    [Fact]
    public async Task Many_streams_carry_their_own_bytes()
    {
        await using var endpoints = TestEndpoints.Create();
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        const int Count = 500;
        Task[] serve = [.. Enumerable.Range(0, Count).Select(_ => EchoNextAsync(server))];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Count),
            new ParallelOptions { MaxDegreeOfParallelism = 50, CancellationToken = Token },
            async (i, token) =>
            {
                byte[] data = new byte[i * 37];
                new Random(i).NextBytes(data);
                await using QuicStream stream = await client.OpenStreamAsync(QuicStreamType.Bidirectional, token);
                await stream.WriteAsync(data, completeWrites: true, token);
                Assert.True((await stream.ReadAllAsync()).AsSpan().SequenceEqual(data));
            });
        await Task.WhenAll(serve);
    }

    [Fact]
    public async Task Datagrams_go_both_ways()
    {
        await using var endpoints = TestEndpoints.Create();
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        Assert.InRange(client.MaxDatagramSize, 1000, 1452);
        Task<ReadOnlyMemory<byte>> waiting = server.ReceiveDatagramAsync(Token).AsTask();
        Assert.Equal(QuicDatagramSendResult.Queued, client.SendDatagram("ping"u8));
        Assert.Equal("ping"u8.ToArray(), (await waiting).ToArray());
        Assert.Equal(QuicDatagramSendResult.Queued, server.SendDatagram("a longer one"u8));
        byte[] small = new byte[4];
        Assert.Equal(12, await client.ReceiveDatagramAsync(small, Token));
        Assert.Equal("a lo"u8.ToArray(), small);
        Assert.Equal(QuicDatagramSendResult.TooLarge, client.SendDatagram(new byte[2000]));
        Assert.Equal(QuicDatagramSendResult.Queued, client.SendDatagram([]));
        Assert.Equal(0, await server.ReceiveDatagramAsync(small, Token));
        Task<int> first = client.ReceiveDatagramAsync(small, Token).AsTask();
        _ = await Assert.ThrowsAsync<InvalidOperationException>(async () => await client.ReceiveDatagramAsync(small, Token));
        _ = server.SendDatagram("!"u8);
        Assert.Equal(1, await first);
    }

    [Fact]
    public async Task A_peer_without_datagrams_gets_none()
    {
        await using var endpoints = TestEndpoints.Create(TestEndpoints.ServerOptions with { DatagramQueueBytes = 0 });
        (QuicConnection client, _) = await endpoints.ConnectAsync();
        Assert.Equal(0, client.MaxDatagramSize);
        Assert.Equal(QuicDatagramSendResult.NotSupported, client.SendDatagram(new byte[1]));
    }

    [Fact]
    public async Task Keys_are_updated_and_statistics_tell()
    {
        await using var pair = await StreamPair.CreateAsync();
        await Eventually.TrueAsync(pair.Client.UpdateKeys);
        await pair.Local.WriteAsync(new byte[100_000], Token);
        byte[] buffer = new byte[100_000];
        await pair.Remote.ReadExactlyAsync(buffer, Token);
        await pair.Remote.WriteAsync(new byte[10], Token);
        await pair.Local.ReadExactlyAsync(buffer.AsMemory(0, 10), Token);
        QuicConnectionStatistics client = pair.Client.GetStatistics();
        QuicConnectionStatistics server = pair.Server.GetStatistics();
        Assert.Equal(1, client.KeyUpdates);
        Assert.Equal(1, server.KeyUpdates);
        Assert.InRange(client.BytesSent, 100_000, 1_000_000);
        Assert.InRange(server.BytesReceived, 100_000, client.BytesSent);
        Assert.InRange(client.Rtt, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(5));
        Assert.InRange(client.MinRtt, TimeSpan.FromTicks(1), client.Rtt + TimeSpan.FromSeconds(5));
        Assert.InRange(client.PathMtu, 1200, 1452);
        Assert.True(client.CongestionWindow > 0 && client.PacketsSent >= client.DatagramsSent);
    }

    [Fact]
    public async Task Nobody_there_is_a_timeout()
    {
        await using var endpoints = TestEndpoints.Create();
        using var silent = new System.Net.Sockets.UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        QuicException exception = await Assert.ThrowsAsync<QuicException>(async () => await endpoints.Client.ConnectAsync(
            (IPEndPoint)silent.Client.LocalEndPoint!, TestEndpoints.ClientOptions with { HandshakeTimeout = TimeSpan.FromMilliseconds(200) }, Token));
        Assert.Equal(QuicErrorKind.ConnectionTimeout, exception.Kind);
        Assert.Equal(0, endpoints.Client.ConnectionCount);
    }

    [Fact]
    public async Task Silence_ends_an_idle_connection_and_keep_alive_prevents_it()
    {
        var time = new ManualTime();
        await using var endpoints = new MemoryEndpoints(clientTime: time, serverTime: time);
        QuicClientOptions options = TestEndpoints.ClientOptions with { IdleTimeout = TimeSpan.FromSeconds(1) };
        (QuicConnection idle, _) = await endpoints.ConnectAsync(options);
        (QuicConnection kept, _) = await endpoints.ConnectAsync(options with { KeepAliveInterval = TimeSpan.FromMilliseconds(200) });
        endpoints.Elapse(time, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(5));
        Assert.Equal(QuicErrorKind.ConnectionIdle, (await idle.Closed.WaitAsync(TimeSpan.FromSeconds(20), Token)).Kind);
        Assert.False(kept.Closed.IsCompleted);
        Assert.Equal(1, endpoints.Client.ConnectionCount);
    }

    [Fact]
    public async Task The_wrong_peer_is_refused_on_either_side()
    {
        await using var endpoints = TestEndpoints.Create();
        QuicException exception = await Assert.ThrowsAsync<QuicException>(
            async () => await endpoints.DialAsync(TestEndpoints.ClientOptions with { DecideCertificate = _ => QuicCertificateVerdict.Refuse("not you") }));
        Assert.Equal(QuicErrorKind.AuthenticationFailed, exception.Kind);
        Assert.Contains("not you", exception.Message, StringComparison.Ordinal);

        await using var strict = TestEndpoints.Create(TestEndpoints.ServerOptions with { DecideCertificate = QuicTrust.RefuseEveryone });
        QuicConnection client = await strict.DialAsync();
        exception = await client.Closed.WaitAsync(Token);
        Assert.Equal(QuicErrorKind.AuthenticationFailed, exception.Kind);
        Assert.Equal(0x100 + 42, exception.TransportErrorCode);
    }

    [Fact]
    public async Task No_protocol_in_common_is_told()
    {
        await using var endpoints = TestEndpoints.Create();
        QuicException exception = await Assert.ThrowsAsync<QuicException>(
            async () => await endpoints.DialAsync(TestEndpoints.ClientOptions with { ApplicationProtocols = [new SslApplicationProtocol("other")] }));
        Assert.Equal(QuicErrorKind.NoApplicationProtocol, exception.Kind);
    }

    [Fact]
    public async Task Addresses_that_cannot_be_dialled_are_named()
    {
        await using var endpoints = TestEndpoints.Create();
        ArgumentException exception = await Assert.ThrowsAsync<ArgumentException>(
            async () => await endpoints.Client.ConnectAsync(new IPEndPoint(IPAddress.IPv6Loopback, 1), TestEndpoints.ClientOptions, Token));
        Assert.Contains("::1", exception.Message, StringComparison.Ordinal);
        _ = await Assert.ThrowsAsync<ArgumentException>(
            async () => await endpoints.Client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, 0), TestEndpoints.ClientOptions, Token));
        QuicException unknown = await Assert.ThrowsAsync<QuicException>(
            async () => await endpoints.Client.ConnectAsync("no-such-host.invalid", 1, TestEndpoints.ClientOptions, Token));
        Assert.Equal(QuicErrorKind.HostNotFound, unknown.Kind);
    }

    [Fact]
    public async Task A_host_is_dialled_by_its_name()
    {
        await using var endpoints = TestEndpoints.Create();
        QuicConnection client = await endpoints.Client.ConnectAsync("localhost", endpoints.Server.LocalEndPoint!.Port, TestEndpoints.ClientOptions, Token);
        QuicConnection server = await endpoints.Listener.AcceptConnectionAsync(Token);
        Assert.Equal("localhost", client.TargetHostName);
        Assert.Equal("localhost", server.TargetHostName);
        Assert.Equal("localhost", client.RemoteCertificate!.TargetHost);
    }

    private static async Task EchoNextAsync(QuicConnection connection)
    {
        QuicStream stream = await connection.AcceptStreamAsync(Token);
        await stream.CopyToAsync(stream, Token);
        await stream.DisposeAsync();
    }

    // The peer has had all that this side sent before, and what it had to say to that has come.
    private static async Task<QuicStream> RoundTripAsync(QuicStream local, QuicConnection peer)
    {
        await local.WriteAsync(new byte[1], Token);
        QuicStream remote = await peer.AcceptStreamAsync(Token);
        Assert.Equal(1, await remote.ReadAsync(new byte[1], Token));
        await remote.WriteAsync(new byte[1], Token);
        Assert.Equal(1, await local.ReadAsync(new byte[1], Token));
        return remote;
    }

    private static async Task EndAsync(QuicStream local, QuicStream remote)
    {
        local.CompleteWrites();
        remote.CompleteWrites();
        _ = await remote.ReadAllAsync();
        _ = await local.ReadAllAsync();
    }

    private static void AssertClosed(QuicException exception, QuicErrorKind kind, long code, string reason) =>
        Assert.Equal((kind, code, reason), (exception.Kind, exception.ApplicationErrorCode, exception.Reason));
}
