using System.Net.Security;
using Gimlet.Quic.Hosting;

namespace Gimlet.Quic;

/// <summary>The connections that clients make to an endpoint, once their handshake is complete. Safe from any thread.</summary>
public sealed class QuicListener : IAsyncDisposable
{
    private readonly EndpointHost _endpoint;
    private readonly ServerHost _server;
    private int _isDisposed;

    internal QuicListener(EndpointHost endpoint, ServerHost server)
    {
        _endpoint = endpoint;
        _server = server;
    }

    /// <summary>Takes the oldest connection, of whichever protocol.</summary>
    /// <param name="cancellationToken">Ends the wait; no connection is lost by it.</param>
    /// <exception cref="ObjectDisposedException">The listener was disposed of.</exception>
    public ValueTask<QuicConnection> AcceptConnectionAsync(CancellationToken cancellationToken = default) =>
        _server.Queue.TakeAsync(protocol: null, cancellationToken);

    /// <summary>Takes the oldest connection of one of the protocols: several applications may share an endpoint, each with its own.</summary>
    /// <param name="protocol">One of <see cref="QuicConnectionOptions.ApplicationProtocols"/>.</param>
    /// <param name="cancellationToken">Ends the wait; no connection is lost by it.</param>
    /// <exception cref="ObjectDisposedException">The listener was disposed of.</exception>
    public ValueTask<QuicConnection> AcceptConnectionAsync(SslApplicationProtocol protocol, CancellationToken cancellationToken = default) =>
        _server.Options.ApplicationProtocols.Contains(protocol)
            ? _server.Queue.TakeAsync(protocol, cancellationToken)
            : throw new ArgumentException($"'{protocol}' is not among the protocols that are served.", nameof(protocol));

    /// <summary>Serves no longer: waits end, and what nobody took is closed. Connections that were taken go on. Safe to call twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        _endpoint.RemoveServer(_server);
        foreach (QuicConnection connection in _server.Queue.Close())
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }
}
