using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;

namespace Gimlet.Bench.Workers;

/// <summary>
/// One worker: registers, reports an endpoint, idles, and comes back when it is cut off. The handshake is written by hand, so that ten thousand of them cost this
/// process little; what follows is the framework's WebSocket, which answers the server's pings.
/// </summary>
internal sealed class BenchWorker(int number, int port, Fleet fleet)
{
    // Below the server's limit for one address.
    private const int PerAddress = 250;

    // docs/workers.md: "reconnect after 1 s to 10 s, doubling with jitter".
    private static readonly double[] LongestWaits = [2, 4, 8, 10];

    private static readonly byte[] Endpoint = """{"type":"update_udp_endpoint","udp_ip":"203.0.113.7","udp_port":41002}"""u8.ToArray();

    private readonly Random _random = new(number);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        int failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using WebSocket socket = await ConnectAsync(cancellationToken).ConfigureAwait(false);
                failures = 0;
                fleet.Joined();
                try
                {
                    while ((await socket.ReceiveAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false)).MessageType != WebSocketMessageType.Close)
                    {
                        throw new InvalidDataException("An idle worker was told something.");
                    }
                }
                finally
                {
                    fleet.Left();
                }
            }
            catch (Exception e) when (e is SocketException or IOException or WebSocketException or OperationCanceledException)
            {
                // The server is gone, refuses, or the measurement is over: the wait below, or the end.
            }

            double longest = LongestWaits[Math.Min(failures++, LongestWaits.Length - 1)];
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(1 + (_random.NextDouble() * (longest - 1))), cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task<WebSocket> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await fleet.EnterAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                // One source address per few workers, as a cloud's NATs have, and ports enough for all.
                socket.Bind(new IPEndPoint(new IPAddress([127, 0, 1, (byte)(1 + (number / PerAddress))]), 0));
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken).ConfigureAwait(false);
                var stream = new NetworkStream(socket, ownsSocket: true);
                await stream.WriteAsync(
                    Encoding.ASCII.GetBytes(
                        $"GET /ws/register/worker-{number} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"),
                    cancellationToken).ConfigureAwait(false);
                await ReadHeadAsync(stream, cancellationToken).ConfigureAwait(false);
                var web = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
                await web.SendAsync(Endpoint, WebSocketMessageType.Text, endOfMessage: true, cancellationToken).ConfigureAwait(false);
                byte[] answer = new byte[256];
                ValueWebSocketReceiveResult result = await web.ReceiveAsync(answer.AsMemory(), cancellationToken).ConfigureAwait(false);
                return result is { MessageType: WebSocketMessageType.Text, EndOfMessage: true } && answer.AsSpan(0, result.Count).IndexOf("success"u8) >= 0
                    ? web
                    : throw new InvalidDataException(Encoding.UTF8.GetString(answer, 0, result.Count));
            }
            finally
            {
                fleet.Leave();
            }
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // The server says nothing before it is asked, so nothing but the head comes.
    private static async Task ReadHeadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        byte[] head = new byte[1024];
        int length = 0;
        while (head.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            int read = await stream.ReadAsync(head.AsMemory(length), cancellationToken).ConfigureAwait(false);
            length += read > 0 ? read : throw new IOException("The server ended the connection.");
        }

        if (!head.AsSpan(0, length).StartsWith("HTTP/1.1 101"u8))
        {
            throw new IOException(Encoding.ASCII.GetString(head, 0, length));
        }
    }
}
