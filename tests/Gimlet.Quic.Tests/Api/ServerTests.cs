using System.Net.Security;
using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

/// <summary>Listening: bounds, Retry, protocols, and the end of it.</summary>
public sealed class ServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Beyond_the_backlog_clients_are_refused_at_once()
    {
        await using var endpoints = TestEndpoints.Create(TestEndpoints.ServerOptions with { AcceptBacklog = 2 });
        QuicConnection first = await endpoints.DialAsync();
        QuicConnection second = await endpoints.DialAsync();
        await Eventually.TrueAsync(() => first.GetStatistics().PacketsReceived > 3 && second.GetStatistics().PacketsReceived > 3);
        QuicException exception = await Assert.ThrowsAsync<QuicException>(async () => await endpoints.DialAsync());
        Assert.Equal(QuicErrorKind.ConnectionRefused, exception.Kind);
        _ = await endpoints.Listener.AcceptConnectionAsync(Token);
        _ = await endpoints.DialAsync();
    }

    [Fact]
    public async Task Beyond_the_bound_on_connections_clients_are_refused_and_later_served_again()
    {
        await using var endpoints = TestEndpoints.Create(TestEndpoints.ServerOptions with { MaxConnections = 1 });
        QuicConnection first = await endpoints.DialAsync();
        QuicException exception = await Assert.ThrowsAsync<QuicException>(async () => await endpoints.DialAsync());
        Assert.Equal(QuicErrorKind.ConnectionRefused, exception.Kind);
        await first.CloseAsync(0, cancellationToken: Token);
        await Eventually.TrueAsync(() => endpoints.Server.ConnectionCount == 0);
        _ = await endpoints.DialAsync();
    }

    [Fact]
    public async Task With_Retry_a_connection_is_made_all_the_same()
    {
        await using var endpoints = TestEndpoints.Create(TestEndpoints.ServerOptions with { Retry = QuicRetryPolicy.Always });
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        QuicStream stream = await client.OpenStreamAsync(QuicStreamType.Bidirectional, Token);
        await stream.WriteAsync("hello"u8.ToArray(), completeWrites: true, Token);
        Assert.Equal("hello"u8.ToArray(), await (await server.AcceptStreamAsync(Token)).ReadAllAsync());

        // The first packet was not the connection's: its client sent it twice.
        await Eventually.TrueAsync(() => client.GetStatistics().DatagramsSent == server.GetStatistics().DatagramsReceived + 1);
    }

    [Fact]
    public async Task A_client_that_was_here_before_needs_no_Retry()
    {
        await using var endpoints = TestEndpoints.Create(TestEndpoints.ServerOptions with { Retry = QuicRetryPolicy.Always });
        QuicClientOptions options = TestEndpoints.ClientOptions with { TargetHost = "a-host-of-this-test" };
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync(options);

        // NEW_TOKEN came with the end of the handshake, in front of this.
        QuicStream stream = await server.OpenStreamAsync(QuicStreamType.Unidirectional, Token);
        await stream.WriteAsync(new byte[1], Token);
        _ = await client.AcceptStreamAsync(Token);

        // With a Retry one datagram more is sent than the connection of the other side ever gets.
        (client, server) = await endpoints.ConnectAsync(options);
        await Eventually.TrueAsync(() => client.GetStatistics().DatagramsSent == server.GetStatistics().DatagramsReceived);
    }

    [Fact]
    public async Task Applications_share_an_endpoint_each_with_its_protocol()
    {
        var one = new SslApplicationProtocol("one");
        var two = new SslApplicationProtocol("two");
        await using var endpoints = TestEndpoints.Create(TestEndpoints.ServerOptions with { ApplicationProtocols = [one, two] });
        Task<QuicConnection> acceptTwo = endpoints.Listener.AcceptConnectionAsync(two, Token).AsTask();
        Task<QuicConnection> acceptOne = endpoints.Listener.AcceptConnectionAsync(one, Token).AsTask();
        _ = await endpoints.DialAsync(TestEndpoints.ClientOptions with { ApplicationProtocols = [one] });
        Assert.Equal(one, (await acceptOne).NegotiatedApplicationProtocol);
        Assert.False(acceptTwo.IsCompleted);
        _ = await endpoints.DialAsync(TestEndpoints.ClientOptions with { ApplicationProtocols = [two] });
        Assert.Equal(two, (await acceptTwo).NegotiatedApplicationProtocol);

        // From the queue as well, in any order.
        _ = await endpoints.DialAsync(TestEndpoints.ClientOptions with { ApplicationProtocols = [one] });
        _ = await endpoints.DialAsync(TestEndpoints.ClientOptions with { ApplicationProtocols = [two] });
        Assert.Equal(two, (await endpoints.Listener.AcceptConnectionAsync(two, Token)).NegotiatedApplicationProtocol);
        Assert.Equal(one, (await endpoints.Listener.AcceptConnectionAsync(Token)).NegotiatedApplicationProtocol);
        _ = await Assert.ThrowsAsync<ArgumentException>(async () => await endpoints.Listener.AcceptConnectionAsync(new SslApplicationProtocol("three"), Token));
    }

    [Fact]
    public async Task A_listener_ends_and_another_begins()
    {
        await using var endpoints = TestEndpoints.Create();
        _ = Assert.Throws<InvalidOperationException>(() => endpoints.Server.Listen(TestEndpoints.ServerOptions));
        (QuicConnection kept, QuicConnection server) = await endpoints.ConnectAsync();
        QuicConnection waiting = await endpoints.DialAsync();
        await endpoints.Listener.DisposeAsync();
        await endpoints.Listener.DisposeAsync();
        Assert.Equal(QuicErrorKind.ConnectionAborted, (await waiting.Closed.WaitAsync(Token)).Kind);
        _ = await Assert.ThrowsAsync<ObjectDisposedException>(async () => await endpoints.Listener.AcceptConnectionAsync(Token));
        QuicException exception = await Assert.ThrowsAsync<QuicException>(
            async () => await endpoints.DialAsync(TestEndpoints.ClientOptions with { HandshakeTimeout = TimeSpan.FromMilliseconds(300) }));
        Assert.Equal(QuicErrorKind.ConnectionTimeout, exception.Kind);
        Assert.False(kept.Closed.IsCompleted || server.Closed.IsCompleted);
        await using QuicListener next = endpoints.Server.Listen(TestEndpoints.ServerOptions);
        _ = await endpoints.DialAsync();
        _ = await next.AcceptConnectionAsync(Token);
    }

    [Fact]
    public async Task Optional_clients_may_show_nothing()
    {
        await using var endpoints = TestEndpoints.Create(TestEndpoints.ServerOptions with { ClientCertificate = QuicClientCertificateMode.Optional });
        (_, QuicConnection server) = await endpoints.ConnectAsync(TestEndpoints.ClientOptions with { Certificate = null });
        Assert.Null(server.RemoteCertificate);
        (_, server) = await endpoints.ConnectAsync();
        Assert.NotNull(server.RemoteCertificate);
    }

    [Fact]
    public async Task One_endpoint_is_client_and_server_even_of_itself()
    {
        await using var endpoints = TestEndpoints.Create();
        QuicConnection client = await endpoints.Server.ConnectAsync(endpoints.Server.LocalEndPoint!, TestEndpoints.ClientOptions, Token);
        QuicConnection server = await endpoints.Listener.AcceptConnectionAsync(Token);
        QuicStream stream = await client.OpenStreamAsync(QuicStreamType.Unidirectional, Token);
        await stream.WriteAsync("myself"u8.ToArray(), completeWrites: true, Token);
        Assert.Equal("myself"u8.ToArray(), await (await server.AcceptStreamAsync(Token)).ReadAllAsync());
    }
}
