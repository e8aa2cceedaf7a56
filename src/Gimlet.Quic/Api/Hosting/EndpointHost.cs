using System.Collections.Concurrent;
using System.Security.Cryptography;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Endpoints;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Hosting;

/// <summary>What all connections of an endpoint share: the table, the way out, the clock. Safe from any thread.</summary>
internal sealed class EndpointHost : IDisposable
{
    private readonly ConcurrentDictionary<ConnectionHost, bool> _connections = new();
    private readonly ConcurrentQueue<ConnectionHost> _blocked = new();
    private readonly Lock _accepting = new();
    private readonly KeyLogFile? _keyLog;
    private readonly long _origin;
    private TaskCompletionSource? _allGone;
    private volatile ServerHost? _server;
    private volatile bool _isClosed;

    public EndpointHost(QuicEndpointOptions options, IDatagramSender sender)
    {
        Sender = sender;
        TimeProvider = options.TimeProvider;
        _origin = TimeProvider.GetTimestamp();
        Protection = ProtectionSelection.Select(options.Protection).Provider;
        OpenTrace = TracesTo(options.QlogDirectory);
        _keyLog = options.KeyLogFile is { } path ? new KeyLogFile(path) : null;
        Core = new EndpointCore<ConnectionHost>(Protection, options.StatelessResetKey.Span, options.MaxAnswersPerSecond, Random);
    }

    /// <summary>The platform's generator; safe from any thread.</summary>
    public static Action<Span<byte>> Random { get; } = RandomNumberGenerator.Fill;

    public EndpointCore<ConnectionHost> Core { get; }

    public IDatagramSender Sender { get; }

    public TimeProvider TimeProvider { get; }

    public IProtectionProvider Protection { get; }

    /// <summary>Opens a connection's trace; null: nobody asked for traces.</summary>
    public Func<EndpointRole, ConnectionId, IConnectionTrace?>? OpenTrace { get; }

    public Action<string>? KeyLog => _keyLog is { } log ? log.Write : null;

    public TokenStore Tokens { get; } = new();

    public bool IsClosed => _isClosed;

    public int ConnectionCount => _connections.Count;

    /// <summary>The clock of all cores.</summary>
    public TimeSpan Now => TimeProvider.GetElapsedTime(_origin);

    /// <summary>Serves.</summary>
    /// <exception cref="InvalidOperationException">Somebody serves already.</exception>
    public void SetServer(ServerHost server)
    {
        lock (_accepting)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(QuicEndpoint));
            if (_server is not null)
            {
                throw new InvalidOperationException("This endpoint serves already: dispose of its listener first.");
            }

            _server = server;
            Core.SetServer(server.Limits);
        }
    }

    /// <summary>Serves no longer.</summary>
    public void RemoveServer(ServerHost server)
    {
        lock (_accepting)
        {
            if (_server == server)
            {
                _server = null;
                Core.SetServer(null);
            }
        }
    }

    /// <summary>Begins a client's connection.</summary>
    public ConnectionHost Connect(PathId path, QuicClientOptions options, string? host)
    {
        ObjectDisposedException.ThrowIf(_isClosed, typeof(QuicEndpoint));
        string? tokenKey = options.TargetHost ?? host;
        TlsClientOptions tls = options.ToTls(host, KeyLog);
        ConnectionSettings settings = options.ToSettings(this);
        var connection = new ConnectionHost(this, options, isServer: false, tokenKey);
        Core.Admission.AddClient();
        lock (connection.Gate)
        {
            connection.Start(ConnectionCore.Connect(Now, path, settings, tls, connection, Random, Tokens.Take(tokenKey)), path);
            Add(connection);
        }

        // In front of the first packet: the answer may be there, and the handshake complete, before the owner has looked at the connection.
        connection.TellBegun();
        lock (connection.Gate)
        {
            connection.Drain();
        }

        return connection;
    }

    /// <summary>Begins a server's connection that was admitted, unless another thread did for the same Initial.</summary>
    /// <returns>The connection, new or not; null where nobody serves any longer.</returns>
    public ConnectionHost? Accept(IDatagramOrigin origin, in ServerStart start, ReadOnlySpan<byte> host)
    {
        ConnectionHost connection;
        lock (_accepting)
        {
            if (Core.Routes.TryFindId(start.Destination, out ConnectionHost? existing) || _server is not { } server || _isClosed)
            {
                Core.Admission.Abandon();
                return existing;
            }

            PathId path = new(origin.Path.Value);
            connection = new ConnectionHost(this, server.Options, isServer: true, tokenKey: null) { Server = server, ClientHost = host.ToArray() };
            lock (connection.Gate)
            {
                connection.Start(ConnectionCore.Accept(Now, path, server.Settings, server.Tls, connection, Random, start), path);
                connection.RouteOriginal(start.Destination);

                // Before another receiver can reach it: one that ends it must find it here.
                Add(connection);
            }
        }

        return connection;
    }

    /// <summary>The connection has nothing left to do.</summary>
    public void Remove(ConnectionHost connection)
    {
        if (_connections.TryRemove(connection, out _))
        {
            Core.Admission.Remove();
            if (_connections.IsEmpty)
            {
                Volatile.Read(ref _allGone)?.TrySetResult();
            }
        }
    }

    /// <summary>The connection waits for room in the sender's buffer.</summary>
    public void AddBlocked(ConnectionHost connection) => _blocked.Enqueue(connection);

    /// <summary>There may be room: everyone who waits tries again, once.</summary>
    public void ResumeBlocked()
    {
        for (int i = _blocked.Count; i > 0 && _blocked.TryDequeue(out ConnectionHost? connection); i--)
        {
            connection.Resume();
        }
    }

    /// <summary>Closes all connections, waits for them a little, and forgets them.</summary>
    public async Task CloseAsync(TimeSpan linger)
    {
        _isClosed = true;
        if (_server is { } server)
        {
            RemoveServer(server);
            _ = server.Queue.Close();
        }

        _ = Interlocked.CompareExchange(ref _allGone, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null);
        foreach (ConnectionHost connection in _connections.Keys)
        {
            connection.Close(connection.DefaultCloseErrorCode, "the endpoint was closed");
        }

        if (!_connections.IsEmpty && linger > TimeSpan.Zero)
        {
            Task delay = Task.Delay(linger, TimeProvider, CancellationToken.None);
            _ = await Task.WhenAny(_allGone.Task, delay).ConfigureAwait(false);
        }

        foreach (ConnectionHost connection in _connections.Keys)
        {
            connection.Abandon();
        }
    }

    public void Dispose()
    {
        Core.Dispose();
        _keyLog?.Dispose();
    }

    private Func<EndpointRole, ConnectionId, IConnectionTrace?>? TracesTo(string? directory)
    {
        if (directory is not null)
        {
            _ = Directory.CreateDirectory(directory);
        }
        else if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(QlogFile.DirectoryVariable)))
        {
            return null;
        }

        return (role, id) => QlogFile.TryOpen(directory, role, id, TimeProvider);
    }

    // A connection that was begun while the endpoint closed is not in the list that was closed.
    private void Add(ConnectionHost connection)
    {
        _ = _connections.TryAdd(connection, true);
        QuicMetrics.ConnectionBegan();
        if (_isClosed)
        {
            connection.Abandon();
        }
    }
}
