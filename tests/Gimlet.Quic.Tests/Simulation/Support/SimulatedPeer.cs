using Gimlet.Quic.Connections;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>One end: a connection, and around it as much of an endpoint as one connection needs.</summary>
internal class SimulatedPeer : ISimulatedNode, IDisposable
{
    private readonly Queue<(PathId Path, byte[] Bytes)> _ownDatagrams = [];

    public SimulatedPeer(EndpointRole role, int seed)
    {
        Role = role;
        Random = new Random(seed);
        Routes = new SimulatedRoutes(Random);
    }

    public EndpointRole Role { get; }

    /// <summary>The source of all that is random on this side.</summary>
    public Random Random { get; }

    public SimulatedRoutes Routes { get; }

    /// <summary>The connection; a server has none before the client's Initial.</summary>
    public ConnectionCore? Connection { get; protected set; }

    /// <summary>The connection, which must be there.</summary>
    public ConnectionCore Core => Connection ?? throw new SimulationException($"{Role} has no connection");

    /// <summary>All that the connection told of.</summary>
    public List<ConnectionEvent> Events { get; } = [];

    /// <summary>What uses the connection: called after every input, after <see cref="Events"/> got the new ones.</summary>
    public Action<SimulatedPeer, TimeSpan>? Application { get; set; }

    /// <summary>Whether an unknown short-header packet is answered with a stateless reset.</summary>
    public bool AnswersWithReset { get; set; }

    /// <summary>Datagrams that led nowhere.</summary>
    public int Unroutable { get; private set; }

    /// <inheritdoc/>
    public TimeSpan? NextTimeout => Connection?.NextTimeout;

    /// <summary>Why the connection ended; it must have.</summary>
    public CloseReason Closed => Connection?.Closed ?? throw new SimulationException($"{Role} is not closed");

    public bool IsConnected => Connection is { IsConnected: true };

    public bool Has(ConnectionEventKind kind) => Count(kind) > 0;

    public int Count(ConnectionEventKind kind)
    {
        int count = 0;
        foreach (ConnectionEvent e in Events)
        {
            count += e.Kind == kind ? 1 : 0;
        }

        return count;
    }

    /// <summary>The machine restarts: it knows nothing of the connection any more, but can still make its stateless resets.</summary>
    public void Forget()
    {
        Connection?.Dispose();
        Connection = null;
        AnswersWithReset = true;
    }

    /// <summary>Sends bytes that are not the connection's.</summary>
    public void SendOwn(PathId path, byte[] bytes) => _ownDatagrams.Enqueue((path, bytes));

    /// <inheritdoc/>
    public void HandleDatagram(TimeSpan now, PathId path, EcnCodepoint ecn, Span<byte> datagram)
    {
        if (!InvariantHeader.TryRead(datagram, SimulatedRoutes.IdLength, out InvariantHeader header))
        {
            Unroutable++;
            return;
        }

        ConnectionId destination = header.DestinationConnectionId.Length <= ConnectionId.MaxLength
            ? new ConnectionId(header.DestinationConnectionId)
            : default;
        if (Connection is not null && Routes.Leads(destination))
        {
            Connection.HandleDatagram(now, path, ecn, datagram);
        }
        else if (Connection is not null && Routes.IsReset(datagram))
        {
            Connection.HandleStatelessReset(now);
        }
        else if (!HandleUnknown(now, path, ecn, datagram, header.IsLong, destination))
        {
            Unroutable++;
        }
    }

    /// <inheritdoc/>
    public void HandleTimeout(TimeSpan now) => Connection?.HandleTimeout(now);

    /// <inheritdoc/>
    public void Work(TimeSpan now)
    {
        if (Connection is null)
        {
            return;
        }

        while (Connection.TryPollEvent(out ConnectionEvent next))
        {
            Events.Add(next);
        }

        Application?.Invoke(this, now);
    }

    /// <inheritdoc/>
    public bool TryPollTransmit(TimeSpan now, Span<byte> buffer, int maxDatagrams, out Transmit transmit)
    {
        if (_ownDatagrams.TryDequeue(out (PathId Path, byte[] Bytes) own))
        {
            own.Bytes.CopyTo(buffer);
            transmit = new Transmit(own.Path, own.Bytes.Length, own.Bytes.Length, EcnCodepoint.NotEct);
            return true;
        }

        transmit = default;
        return Connection is not null && Connection.TryPollTransmit(now, buffer, maxDatagrams, out transmit);
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A datagram for nobody: a server may begin a connection with it.</summary>
    protected virtual bool HandleUnknown(
        TimeSpan now, PathId path, EcnCodepoint ecn, Span<byte> datagram, bool isLong, ConnectionId destination)
    {
        if (AnswersWithReset && !isLong && Routes.TryMakeReset(destination, datagram.Length, out byte[] reset))
        {
            SendOwn(path, reset);
            return true;
        }

        return false;
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            Connection?.Dispose();
            Connection = null;
        }
    }
}

/// <summary>The end that dials.</summary>
internal sealed class SimulatedClient : SimulatedPeer
{
    public SimulatedClient(int seed, PairOptions options, PathId path)
        : base(EndpointRole.Client, seed)
    {
        Connection = ConnectionCore.Connect(
            TimeSpan.Zero, path, options.Client, options.ClientTls, Routes, Random.NextBytes, options.Token);
    }
}
