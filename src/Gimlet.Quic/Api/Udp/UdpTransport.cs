using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Gimlet.Sockets;

namespace Gimlet.Quic.Udp;

/// <summary>
/// The sender and the receive loop of an endpoint that has a UDP socket of its own. The loop has a thread of its own: acknowledgements then go
/// out whatever the application does to the thread pool, and a datagram is a thread switch away from it instead of two.
/// </summary>
internal sealed class UdpTransport : IDatagramSender, IDisposable
{
    // Half a megabyte either way: with receive offload a slot holds up to 64 datagrams, without it one.
    private const int OffloadSlots = 8;

    private readonly DatagramSocket _socket;
    private readonly UdpPaths _paths = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _loopEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private QuicEndpoint? _endpoint;
    private int _isWaitingToSend;

    public UdpTransport(IPEndPoint local, QuicEndpointOptions options)
    {
        _socket = DatagramSocket.Bind(new DatagramSocketOptions
        {
            LocalEndPoint = local,
            ReceiveBufferBytes = options.ReceiveBufferBytes,
            SendBufferBytes = options.SendBufferBytes,
            DontFragment = true,
            ReceiveOffload = true,
            ReportEcn = true,
        });
        LocalEndPoint = _socket.LocalAddress.ToIPEndPoint();
    }

    public IPEndPoint LocalEndPoint { get; }

    public AddressFamily AddressFamily => LocalEndPoint.AddressFamily;

    /// <summary>Begins to receive.</summary>
    public void Start(QuicEndpoint endpoint)
    {
        _endpoint = endpoint;
        QuicReceiver receiver = endpoint.CreateReceiver();
        var loop = new Thread(() => ReceiveAll(receiver)) { IsBackground = true, Name = $"QUIC {LocalEndPoint}" };
        loop.UnsafeStart();
    }

    /// <summary>The path that a client dials.</summary>
    public QuicPath PathTo(IPEndPoint remote) => _paths.GetOrAdd(default, new TransportAddress(remote));

    /// <inheritdoc/>
    public DatagramSendResult Send(QuicPath path, ReadOnlySpan<byte> datagrams, int segmentSize, EcnMark ecn, out int sent)
    {
        sent = 0;
        if (!_paths.TryFind(path, out TransportAddress local, out TransportAddress remote))
        {
            return DatagramSendResult.Unreachable;
        }

        var options = new DatagramSendOptions { Ecn = ecn };
        DatagramSendResult result;
        try
        {
            result = _socket.SendSegments(datagrams, segmentSize, remote, out int segments, local, options);
            sent = Math.Min(segments * segmentSize, datagrams.Length);
        }
        catch (ObjectDisposedException)
        {
            return DatagramSendResult.Failed;
        }

        if (result == DatagramSendResult.WouldBlock && Interlocked.Exchange(ref _isWaitingToSend, 1) == 0)
        {
            _ = WaitToSendAsync();
        }

        return result;
    }

    /// <inheritdoc/>
    public void Hold(QuicPath path) => _paths.Hold(path);

    /// <inheritdoc/>
    public void Release(QuicPath path) => _paths.Release(path);

    /// <inheritdoc/>
    public IPEndPoint? GetRemoteEndPoint(QuicPath path) => _paths.TryFind(path, out _, out TransportAddress remote) ? remote.ToIPEndPoint() : null;

    /// <summary>Closes the socket and waits for the loop, which ends with it.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        try
        {
            await _loopEnded.Task.ConfigureAwait(false);
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _stop.Dispose();
    }

    private void ReceiveAll(QuicReceiver receiver)
    {
        try
        {
            DatagramReceiveBatch batch = _socket.Capabilities.HasFlag(DatagramSocketCapabilities.ReceiveOffload)
                ? new DatagramReceiveBatch(OffloadSlots, DatagramReceiveBatch.OffloadDatagramBytes)
                : new DatagramReceiveBatch();
            var origin = new Origin(this);
            while (_socket.ReceiveBlocking(batch) > 0)
            {
                HandOver(receiver, batch, origin);
            }

            _loopEnded.SetResult();
        }
        catch (Exception e)
        {
            // A defect of ours: whoever disposes of the endpoint hears of it.
            _loopEnded.SetException(e);
        }
    }

    private static void HandOver(QuicReceiver receiver, DatagramReceiveBatch batch, Origin origin)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            ReceivedDatagram datagram = batch[i];
            Span<byte> payload = datagram.Payload;
            if (payload.IsEmpty)
            {
                continue;
            }

            origin.Set(datagram.Local, datagram.Remote);
            receiver.Receive(origin, datagram.Ecn, payload, datagram.SegmentSize);
        }

        receiver.Flush();
    }

    // One task waits for all connections.
    private async Task WaitToSendAsync()
    {
        // Not with the lock of the connection that could not send.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await _socket.WaitToSendAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            return;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or SocketException)
        {
            // The system is out of descriptors or memory: connections try again a little later, and wait again if they have to.
            await Task.Delay(TimeSpan.FromMilliseconds(1), _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Volatile.Write(ref _isWaitingToSend, 0);
        _endpoint!.NotifyWritable();
    }

    /// <summary>The addresses of the datagram at hand; the loop's one instance.</summary>
    private sealed class Origin(UdpTransport transport) : IDatagramOrigin
    {
        private TransportAddress _local;
        private TransportAddress _remote;
        private QuicPath? _path;

        public QuicPath Path => _path ??= transport._paths.GetOrAdd(_local, _remote);

        public void Set(in TransportAddress local, in TransportAddress remote)
        {
            _local = local;
            _remote = remote;
            _path = null;
        }

        public int WriteAddress(Span<byte> destination, out int hostLength)
        {
            hostLength = _remote.WriteAddress(destination);
            BinaryPrimitives.WriteUInt32BigEndian(destination[hostLength..], _remote.ScopeId);
            hostLength += sizeof(uint);
            BinaryPrimitives.WriteUInt16BigEndian(destination[hostLength..], (ushort)_remote.Port);
            return hostLength + sizeof(ushort);
        }

        // Nobody hears of it when it is not sent: whoever asked asks again.
        public void Answer(ReadOnlySpan<byte> datagram)
        {
            try
            {
                _ = transport._socket.Send(datagram, _remote, _local);
            }
            catch (ObjectDisposedException)
            {
                // The endpoint is being disposed of; the loop ends after this datagram.
            }
        }
    }
}
