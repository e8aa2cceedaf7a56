namespace Gimlet.Quic.Tests.Api.Support;

/// <summary>Both ends of one stream that the client opened.</summary>
internal sealed class StreamPair : IAsyncDisposable
{
    private readonly TestEndpoints _endpoints;

    private StreamPair(TestEndpoints endpoints, QuicConnection client, QuicConnection server, QuicStream local, QuicStream remote)
    {
        _endpoints = endpoints;
        Client = client;
        Server = server;
        Local = local;
        Remote = remote;
    }

    public QuicConnection Client { get; }

    public QuicConnection Server { get; }

    public QuicStream Local { get; }

    public QuicStream Remote { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<StreamPair> CreateAsync(QuicStreamType type = QuicStreamType.Bidirectional, QuicServerOptions? server = null, QuicClientOptions? client = null)
    {
        var endpoints = TestEndpoints.Create(server);
        (QuicConnection clientConnection, QuicConnection serverConnection) = await endpoints.ConnectAsync(client);
        QuicStream local = await clientConnection.OpenStreamAsync(type, Token);

        // The peer sees a stream with its first bytes.
        await local.WriteAsync(new byte[1], Token);
        QuicStream remote = await serverConnection.AcceptStreamAsync(Token);
        Assert.Equal(1, await remote.ReadAsync(new byte[1], Token));
        return new StreamPair(endpoints, clientConnection, serverConnection, local, remote);
    }

    public ValueTask DisposeAsync() => _endpoints.DisposeAsync();
}

internal static class StreamReading
{
    public static async Task<byte[]> ReadAllAsync(this QuicStream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, TestContext.Current.CancellationToken);
        return all.ToArray();
    }
}
