using System.Net;
using System.Net.Sockets;
using Gimlet.Quic.Hosting;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Udp;
using Gimlet.Sockets;

namespace Gimlet.Quic;

/// <summary>
/// Client and server at once on one way out, with many connections. Whoever owns the sockets gives it an <see cref="IDatagramSender"/> and hands
/// datagrams to a <see cref="QuicReceiver"/>; <see cref="Bind"/> makes an endpoint with a UDP socket of its own. Safe from any thread.
/// </summary>
public sealed class QuicEndpoint : IAsyncDisposable
{
    private readonly EndpointHost _host;
    private readonly QuicEndpointOptions _options;
    private readonly UdpTransport? _transport;
    private readonly Lazy<Task> _disposal;

    /// <summary>Makes an endpoint on somebody else's sockets.</summary>
    /// <param name="sender">The way out; it stays the caller's.</param>
    /// <param name="options">How it behaves.</param>
    /// <exception cref="ArgumentException">An option makes no sense; the message names it.</exception>
    public QuicEndpoint(IDatagramSender sender, QuicEndpointOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(sender);
        _options = options ?? new QuicEndpointOptions();
        _options.Validate();
        _host = new EndpointHost(_options, sender);
        _transport = sender as UdpTransport;
        _disposal = new Lazy<Task>(DisposeCoreAsync);
    }

    /// <summary>The address of an endpoint that was made by <see cref="Bind"/>, with its real port; null otherwise.</summary>
    public IPEndPoint? LocalEndPoint => _transport?.LocalEndPoint;

    /// <summary>Connections that are not forgotten yet, with those that are being made or closed.</summary>
    public int ConnectionCount => _host.ConnectionCount;

    /// <summary>Makes an endpoint with a UDP socket of its own, which receives until it is disposed of.</summary>
    /// <param name="localEndPoint">The address and port; port 0 takes any free one. The address chooses the family.</param>
    /// <param name="options">How it behaves.</param>
    /// <exception cref="ArgumentException">An option makes no sense; the message names it.</exception>
    /// <exception cref="DatagramBindException">The address cannot be bound; the message names it.</exception>
    public static QuicEndpoint Bind(IPEndPoint localEndPoint, QuicEndpointOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(localEndPoint);
        options ??= new QuicEndpointOptions();
        options.Validate();
        var transport = new UdpTransport(localEndPoint, options);
        try
        {
            var endpoint = new QuicEndpoint(transport, options);
            transport.Start(endpoint);
            return endpoint;
        }
        catch
        {
            transport.Dispose();
            throw;
        }
    }

    /// <summary>Makes the way in for one receive loop of the sockets' owner.</summary>
    public QuicReceiver CreateReceiver() => new(_host);

    /// <summary>
    /// The sender may have room again after <see cref="DatagramSendResult.WouldBlock"/>. Not to be called from within <see
    /// cref="IDatagramSender.Send"/>.
    /// </summary>
    public void NotifyWritable() => _host.ResumeBlocked();

    /// <summary>Serves: from now on clients may connect.</summary>
    /// <param name="options">How.</param>
    /// <returns>Gives the connections; one at a time for an endpoint.</returns>
    /// <exception cref="ArgumentException">An option makes no sense; the message names it.</exception>
    /// <exception cref="InvalidOperationException">There is a listener already.</exception>
    public QuicListener Listen(QuicServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var server = new ServerHost(options, _host);
        _host.SetServer(server);
        return new QuicListener(_host, server);
    }

    /// <summary>Dials a peer on a path of the sockets' owner.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Gives up; the peer is told.</param>
    /// <exception cref="ArgumentException">An option makes no sense; the message names it.</exception>
    /// <exception cref="QuicException">No connection could be made; it says why.</exception>
    public ValueTask<QuicConnection> ConnectAsync(QuicPath path, QuicClientOptions options, CancellationToken cancellationToken = default)
    {
        Check(options);
        return DialAsync(path, options, host: null, cancellationToken);
    }

    /// <summary>Dials a peer at an address; for endpoints that were made by <see cref="Bind"/>.</summary>
    /// <param name="remoteEndPoint">Where to; of the socket's address family.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Gives up; the peer is told.</param>
    /// <exception cref="ArgumentException">An option or the address makes no sense; the message names it.</exception>
    /// <exception cref="InvalidOperationException">The endpoint has no socket of its own.</exception>
    /// <exception cref="QuicException">No connection could be made; it says why.</exception>
    public ValueTask<QuicConnection> ConnectAsync(IPEndPoint remoteEndPoint, QuicClientOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(remoteEndPoint);
        Check(options);
        UdpTransport transport = RequireTransport();
        if (remoteEndPoint.AddressFamily != transport.AddressFamily || remoteEndPoint.Port == 0)
        {
            throw new ArgumentException(
                $"{remoteEndPoint} cannot be reached from {transport.LocalEndPoint}: an address of the same family, with a port, is needed.",
                nameof(remoteEndPoint));
        }

        return DialAsync(transport.PathTo(remoteEndPoint), options, remoteEndPoint.Address.ToString(), cancellationToken);
    }

    /// <summary>
    /// Dials a host by its name, for endpoints that were made by <see cref="Bind"/>. Its addresses of the socket's family are tried in turn, as
    /// long as nobody answers there.
    /// </summary>
    /// <param name="host">A host name or an address.</param>
    /// <param name="port">The port.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Gives up; the peer is told.</param>
    /// <exception cref="ArgumentException">An option makes no sense; the message names it.</exception>
    /// <exception cref="InvalidOperationException">The endpoint has no socket of its own.</exception>
    /// <exception cref="QuicException">No connection could be made; it says why.</exception>
    public async ValueTask<QuicConnection> ConnectAsync(string host, int port, QuicClientOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(host);
        OptionCheck.Range(port, 1, ushort.MaxValue, nameof(port));
        Check(options);
        UdpTransport transport = RequireTransport();
        IPAddress[] addresses = await ResolveAsync(host, transport.AddressFamily, cancellationToken).ConfigureAwait(false);
        for (int i = 0; ; i++)
        {
            try
            {
                return await DialAsync(transport.PathTo(new IPEndPoint(addresses[i], port)), options, host, cancellationToken).ConfigureAwait(false);
            }
            catch (QuicException e) when (e.Kind == QuicErrorKind.ConnectionTimeout && i + 1 < addresses.Length)
            {
                // Nobody is there; the next address may be another machine.
            }
        }
    }

    /// <summary>
    /// Closes all connections, telling their peers, waits for them for <see cref="QuicEndpointOptions.ShutdownLinger"/> at most, and frees
    /// everything. Safe to call twice.
    /// </summary>
    public ValueTask DisposeAsync() => new(_disposal.Value);

    private static void Check(QuicClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
    }

    private static async Task<IPAddress[]> ResolveAsync(string host, AddressFamily family, CancellationToken cancellationToken)
    {
        try
        {
            IPAddress[] addresses = await Dns.GetHostAddressesAsync(host, family, cancellationToken).ConfigureAwait(false);
            if (addresses.Length > 0)
            {
                return addresses;
            }
        }
        catch (SocketException e)
        {
            throw new QuicException(QuicErrorKind.HostNotFound, $"'{host}' has no address: {e.Message}", e);
        }

        throw new QuicException(QuicErrorKind.HostNotFound, $"'{host}' has no address of the family {family}.");
    }

    private UdpTransport RequireTransport() =>
        _transport ?? throw new InvalidOperationException("This endpoint has no socket of its own; dial on a path of its owner.");

    /// <summary>Begins a connection and gives it back at once: <see cref="QuicConnection.Connected"/> tells what becomes of it.</summary>
    internal QuicConnection BeginConnect(QuicPath path, QuicClientOptions options)
    {
        Check(options);
        return _host.Connect(new PathId(path.Value), options, host: null).Connection;
    }

    private async ValueTask<QuicConnection> DialAsync(QuicPath path, QuicClientOptions options, string? host, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ConnectionHost connection = _host.Connect(new PathId(path.Value), options, host);
        using (cancellationToken.UnsafeRegister(static state => ((ConnectionHost)state!).Close(0, string.Empty), connection))
        {
            try
            {
                await connection.Connection.Connected.ConfigureAwait(false);
            }
            catch (QuicException e) when (e.Kind == QuicErrorKind.OperationAborted && cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException("The dial was cancelled.", e, cancellationToken);
            }
        }

        // Cancelled in the last moment, perhaps after nobody was told of it any more: nobody gets the connection, so it must not stay.
        if (cancellationToken.IsCancellationRequested)
        {
            connection.Close(0, string.Empty);
            throw new OperationCanceledException("The dial was cancelled.", cancellationToken);
        }

        return connection.Connection;
    }

    private async Task DisposeCoreAsync()
    {
        try
        {
            await _host.CloseAsync(_options.ShutdownLinger).ConfigureAwait(false);
            if (_transport is { } transport)
            {
                await transport.StopAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            _host.Dispose();
        }
    }
}
