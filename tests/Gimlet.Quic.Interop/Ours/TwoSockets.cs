using System.Net;
using System.Net.Sockets;
using Gimlet.Sockets;

namespace Gimlet.Quic.Interop.Ours;

/// <summary>
/// An owner of two sockets that both reach one server: what an endpoint that does not own its socket sits on. Paths are numbered like the sockets.
/// </summary>
internal sealed class TwoSockets : IDatagramSender, IAsyncDisposable
{
    private readonly Socket[] _sockets;
    private readonly int[] _sent = new int[2];
    private readonly IPEndPoint _server;
    private readonly CancellationTokenSource _stop = new();
    private Task _receiving = Task.CompletedTask;

    public TwoSockets(IPEndPoint server)
    {
        _server = server;
        _sockets = [Bind(), Bind()];
    }

    public static QuicPath First => new(0);

    public static QuicPath Second => new(1);

    /// <summary>Datagrams that went out so far.</summary>
    public int SentOn(QuicPath path) => Volatile.Read(ref _sent[path.Value]);

    /// <summary>Begins to receive.</summary>
    public void Start(QuicEndpoint endpoint) =>
        _receiving = Task.WhenAll(ReceiveAsync(First, endpoint.CreateReceiver()), ReceiveAsync(Second, endpoint.CreateReceiver()));

    /// <inheritdoc/>
    public DatagramSendResult Send(QuicPath path, ReadOnlySpan<byte> datagrams, int segmentSize, EcnMark ecn, out int sent)
    {
        for (sent = 0; sent < datagrams.Length;)
        {
            ReadOnlySpan<byte> rest = datagrams[sent..];
            sent += _sockets[path.Value].SendTo(rest[..Math.Min(segmentSize, rest.Length)], _server);
            _ = Interlocked.Increment(ref _sent[path.Value]);
        }

        return DatagramSendResult.Sent;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _receiving;
        _sockets[0].Dispose();
        _sockets[1].Dispose();
        _stop.Dispose();
    }

    private static Socket Bind()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private async Task ReceiveAsync(QuicPath path, QuicReceiver receiver)
    {
        byte[] buffer = new byte[ushort.MaxValue];
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await _sockets[path.Value].ReceiveFromAsync(buffer, SocketFlags.None, _server, _stop.Token);
                receiver.Receive(path, EcnMark.NotEct, buffer.AsSpan(0, received.ReceivedBytes), Math.Max(1, received.ReceivedBytes));
                receiver.Flush();
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
