using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;

namespace Gimlet.Quic.Interop.Ours;

/// <summary>Our side as a server: everybody is accepted, and served <c>gimlet-interop</c> or HTTP/3, whichever was agreed on.</summary>
internal sealed class OurServer : IAsyncDisposable
{
    private readonly OurIdentity _identity;
    private readonly QuicEndpoint _endpoint;
    private readonly QuicListener _listener;
    private readonly Http3Handler _handler;
    private readonly ConcurrentQueue<QuicConnection> _connections = new();
    private readonly TaskCompletionSource<QuicConnection> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly Task _serving;
    private int _requests;

    private OurServer(OurIdentity identity, QuicServerOptions options, QuicEndpointOptions endpoint, Http3Handler handler)
    {
        _identity = identity;
        _handler = (connection, stream, token) =>
        {
            _ = Interlocked.Increment(ref _requests);
            return handler(connection, stream, token);
        };
        _endpoint = QuicEndpoint.Bind(new IPEndPoint(IPAddress.Loopback, 0), endpoint);
        _listener = _endpoint.Listen(options);
        _serving = ServeAsync();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint => _endpoint.LocalEndPoint!;

    /// <summary>What clients see of it.</summary>
    public string CertificateSha256 => _identity.Sha256;

    /// <summary>Requests of HTTP/3 so far.</summary>
    public int RequestCount => _requests;

    /// <summary>Is given every connection, before it is served.</summary>
    public Action<QuicConnection> OnConnection { get; set; } = _ => { };

    /// <summary>The first connection, whether it came already or not.</summary>
    public Task<QuicConnection> FirstConnection => _first.Task.WaitAsync(TestContext.Current.CancellationToken);

    /// <summary>All connections so far.</summary>
    public IReadOnlyCollection<QuicConnection> Connections => _connections;

    /// <summary>Connections that the endpoint has not forgotten, half-open ones with them.</summary>
    public int ConnectionCount => _endpoint.ConnectionCount;

    /// <summary>Starts to serve.</summary>
    /// <param name="configure">Changes the defaults: both protocols, client certificates are asked for and not demanded.</param>
    /// <param name="endpoint">The endpoint's own options.</param>
    /// <param name="length">Of the file that HTTP/3 answers with.</param>
    /// <param name="handler">What HTTP/3 does instead.</param>
    public static OurServer Start(
        Func<QuicServerOptions, QuicServerOptions>? configure = null,
        QuicEndpointOptions? endpoint = null,
        long length = 1,
        Http3Handler? handler = null)
    {
        var identity = new OurIdentity();
        var options = new QuicServerOptions
        {
            ApplicationProtocols = [Protocols.Interop, SslApplicationProtocol.Http3],
            Certificate = identity.Certificate,
            ClientCertificate = QuicClientCertificateMode.Optional,
            DecideCertificate = QuicTrust.DangerousAcceptAnyPeer,
        };
        return new OurServer(identity, configure?.Invoke(options) ?? options, endpoint ?? Protocols.Endpoint, handler ?? Http3.File(length));
    }

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        await _endpoint.DisposeAsync();
        await _serving;
        await _stop.CancelAsync();
        _stop.Dispose();
        _identity.Dispose();
    }

    private async Task ServeAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                QuicConnection connection = await _listener.AcceptConnectionAsync(_stop.Token);
                _connections.Enqueue(connection);
                OnConnection(connection);
                _ = _first.TrySetResult(connection);
                serving.Add(
                    connection.NegotiatedApplicationProtocol == SslApplicationProtocol.Http3
                        ? Http3.ServeAsync(connection, _handler, _stop.Token)
                        : new RequestServer(connection, _stop.Token).ServeAsync());
            }
        }
        catch (ObjectDisposedException)
        {
            // The test is over.
        }

        await Task.WhenAll(serving);
    }
}
