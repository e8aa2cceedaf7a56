namespace Gimlet.Quic.Tests.Api.Support;

/// <summary>A client's and a server's endpoint that send to each other through memory, on paths that are numbers.</summary>
internal sealed class MemoryEndpoints : IAsyncDisposable
{
    private readonly Traffic _traffic = new();
    private readonly QuicClientOptions _options;

    /// <summary>Makes both ends.</summary>
    /// <param name="gimletPaths">Whether their connections have paths of both sides.</param>
    /// <param name="clientTime">The client's clock; null: the system's.</param>
    /// <param name="serverTime">The server's.</param>
    public MemoryEndpoints(bool gimletPaths = false, TimeProvider? clientTime = null, TimeProvider? serverTime = null)
    {
        var options = new QuicEndpointOptions { ShutdownLinger = TimeSpan.Zero };
        _options = TestEndpoints.ClientOptions with { GimletPaths = gimletPaths };
        ToServer = new MemoryNetwork(_traffic);
        ToClient = new MemoryNetwork(_traffic);
        Client = new QuicEndpoint(ToServer, options with { TimeProvider = clientTime ?? TimeProvider.System });
        Server = new QuicEndpoint(ToClient, options with { TimeProvider = serverTime ?? TimeProvider.System });
        Listener = Server.Listen(TestEndpoints.ServerOptions with { GimletPaths = gimletPaths });
        ToServer.DeliverTo(Server);
        ToClient.DeliverTo(Client);
    }

    public MemoryNetwork ToServer { get; }

    public MemoryNetwork ToClient { get; }

    public QuicEndpoint Client { get; }

    public QuicEndpoint Server { get; }

    public QuicListener Listener { get; }

    /// <summary>A connection on path 1.</summary>
    public async Task<(QuicConnection Client, QuicConnection Server)> ConnectAsync(QuicClientOptions? options = null)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        QuicConnection client = await Client.ConnectAsync(new QuicPath(1), options ?? _options, token);
        return (client, await Listener.AcceptConnectionAsync(token));
    }

    /// <summary>Moves the clock step by step; before each step all that was sent has come to rest.</summary>
    public void Elapse(ManualTime time, TimeSpan span, TimeSpan step)
    {
        for (TimeSpan gone = TimeSpan.Zero; gone < span; gone += step)
        {
            _traffic.WaitUntilQuiet();
            time.Advance(step);
        }

        _traffic.WaitUntilQuiet();
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
        ToServer.Dispose();
        ToClient.Dispose();
    }
}
