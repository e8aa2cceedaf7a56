using System.Net;
using System.Net.Sockets;

namespace Gimlet.Sockets.Tests.Conformance;

/// <summary>
/// What every implementation of <see cref="DatagramSocket"/> must do, in each address family. The files of this partial
/// class hold one theme each; <see cref="Implementations"/> runs all of them over each implementation.
/// </summary>
public abstract partial class DatagramSocketConformance : IAsyncDisposable
{
    // Long enough for a busy machine; nothing here waits for time to pass.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly DatagramSocketImplementation _implementation;
    private readonly IPAddress _loopback;
    private readonly List<DatagramSocket> _sockets = [];
    private readonly List<Socket> _closedPorts = [];
    private readonly CancellationTokenSource _deadline;

    private protected DatagramSocketConformance(DatagramSocketImplementation implementation, IPAddress loopback)
    {
        _implementation = implementation;
        _loopback = loopback;
        _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        _deadline.CancelAfter(Patience);
        if (implementation is not DatagramSocketImplementation.Best and not DatagramSocketImplementation.Portable && !OperatingSystem.IsLinux())
        {
            Assert.Skip("The Linux implementation needs Linux.");
        }

        if (loopback.AddressFamily == AddressFamily.InterNetworkV6 && !HasIPv6Loopback())
        {
            Assert.Skip("This machine has no IPv6 loopback address.");
        }
    }

    private CancellationToken Deadline => _deadline.Token;

    private IPAddress Wildcard => _loopback.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;

    public ValueTask DisposeAsync()
    {
        foreach (DatagramSocket socket in _sockets)
        {
            socket.Dispose();
        }

        _closedPorts.ForEach(socket => socket.Dispose());
        _deadline.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private static bool HasIPv6Loopback()
    {
        try
        {
            using DatagramSocket socket = DatagramSocket.Bind(new DatagramSocketOptions { LocalEndPoint = new IPEndPoint(IPAddress.IPv6Loopback, 0) });
            return true;
        }
        catch (DatagramBindException)
        {
            return false;
        }
    }

    private DatagramSocketOptions Options(IPAddress? address = null, int port = 0) => new()
    {
        LocalEndPoint = new IPEndPoint(address ?? _loopback, port),
        Implementation = _implementation,
    };

    private DatagramSocket Bind(IPAddress? address = null, int port = 0) => Bind(Options(address, port));

    private DatagramSocket Bind(DatagramSocketOptions options)
    {
        DatagramSocket socket = DatagramSocket.Bind(options);
        _sockets.Add(socket);
        return socket;
    }

    /// <summary>
    /// A port on loopback that refuses us: its socket is connected to somebody else. A port that was merely closed could
    /// be given to a test that runs beside this one.
    /// </summary>
    private TransportAddress ClosedPort()
    {
        if (_implementation == DatagramSocketImplementation.LinuxRefusingSegmentation && _loopback.AddressFamily == AddressFamily.InterNetworkV6)
        {
            Assert.Skip("These sockets send without a checksum, and no IPv6 port refuses such a datagram: it is dropped.");
        }

        var socket = new Socket(_loopback.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _closedPorts.Add(socket);
        socket.Bind(new IPEndPoint(_loopback, 0));
        socket.Connect(new IPEndPoint(_loopback, 9));
        return new TransportAddress((IPEndPoint)socket.LocalEndPoint!);
    }

    /// <summary>Waits and receives until <paramref name="count"/> datagrams have come, in order.</summary>
    private async Task<List<Copy>> ReceiveAsync(DatagramSocket socket, int count = 1, int slots = 16, int datagramBytes = 2048)
    {
        var batch = new DatagramReceiveBatch(slots, datagramBytes);
        var copies = new List<Copy>();
        while (copies.Count < count)
        {
            await socket.WaitToReceiveAsync(Deadline);
            int received = socket.Receive(batch);
            Assert.Equal(received, batch.Count);
            for (int i = 0; i < received; i++)
            {
                copies.Add(new Copy(batch[i].Payload.ToArray(), batch[i].Remote, batch[i].Local, batch[i].Ecn));
            }
        }

        Assert.Equal(count, copies.Count);
        return copies;
    }

    private sealed record Copy(byte[] Payload, TransportAddress Remote, TransportAddress Local, EcnMark Ecn);
}
