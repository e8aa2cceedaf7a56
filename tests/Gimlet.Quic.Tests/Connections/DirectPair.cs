using Gimlet.Quic.Connections;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Connections;

/// <summary>
/// Two connections whose datagrams are handed over at once, from one buffer: nothing in between allocates, so what is measured is theirs alone. The
/// clock moves a little with each exchange.
/// </summary>
internal sealed class DirectPair : IDisposable
{
    private static readonly PathId Path = new(1);
    private static readonly TimeSpan Step = TimeSpan.FromMicroseconds(50);

    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly ConnectionSettings _settings;
    private ConnectionCore? _server;
    private TimeSpan _now = TimeSpan.FromSeconds(1);

    public DirectPair(ProtectionChoice protection, bool isGimlet = false)
    {
        _settings = new ConnectionSettings { Protection = ProtectionSelection.Select(protection).Provider, GimletPaths = isGimlet };
        var random = new Random(1);
        Client = ConnectionCore.Connect(
            _now, Path, _settings, SimulatedIdentities.ClientOptions(), new SimulatedRoutes(random), random.NextBytes);
        for (int i = 0; i < 100 && !Client.IsConfirmed; i++)
        {
            Exchange();
        }

        Assert.True(Client.IsConfirmed);
    }

    public ConnectionCore Client { get; }

    /// <summary>The clock.</summary>
    public TimeSpan Now => _now;

    public ConnectionCore Server => _server!;

    /// <summary>Hands over datagrams until neither side has any, and takes the events; streams that the client opened are told.</summary>
    /// <returns>The stream that the client opened meanwhile, or null.</returns>
    public QuicStreamState? Exchange()
    {
        QuicStreamState? opened = null;
        bool isAny;
        do
        {
            _now += Step;
            isAny = false;
            while (Client.TryPollTransmit(_now, _buffer, 32, out Transmit transmit))
            {
                isAny = true;
                Deliver(transmit, toServer: true);
            }

            while (_server is not null && _server.TryPollTransmit(_now, _buffer, 32, out Transmit transmit))
            {
                isAny = true;
                Deliver(transmit, toServer: false);
            }

            Drain(Client, ref opened);
            if (_server is not null)
            {
                Drain(_server, ref opened);
            }
        }
        while (isAny);
        return opened;
    }

    public void Dispose()
    {
        Client.Dispose();
        _server?.Dispose();
    }

    private static void Drain(ConnectionCore connection, ref QuicStreamState? opened)
    {
        while (connection.TryPollEvent(out ConnectionEvent next))
        {
            // Not an assertion: those box what they compare.
            if (next.Kind == ConnectionEventKind.Closed)
            {
                throw new InvalidOperationException($"The connection ended: {next.Close}");
            }
        }

        while (connection.Streams.TryPollEvent(out StreamEvent next))
        {
            if (next.Kind == StreamEventKind.Opened)
            {
                opened = next.Stream;
            }
        }
    }

    private void Deliver(in Transmit transmit, bool toServer)
    {
        for (int offset = 0; offset < transmit.Length; offset += transmit.SegmentSize)
        {
            Span<byte> datagram = _buffer.AsSpan(offset, Math.Min(transmit.SegmentSize, transmit.Length - offset));
            if (toServer && _server is null)
            {
                Assert.True(LongHeader.TryRead(datagram, out LongHeader header));
                var random = new Random(2);
                _server = ConnectionCore.Accept(
                    _now,
                    Path,
                    _settings,
                    SimulatedIdentities.ServerOptions(),
                    new SimulatedRoutes(random),
                    random.NextBytes,
                    new ServerStart(header.Destination, header.Source, header.Destination, RetrySource: null, IsAddressValidated: false));
            }

            (toServer ? Server : Client).HandleDatagram(_now, transmit.Path, transmit.Ecn, datagram);
        }
    }
}
