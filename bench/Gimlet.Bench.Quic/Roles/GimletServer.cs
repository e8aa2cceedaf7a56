using System.Net;
using System.Security.Cryptography.X509Certificates;
using Gimlet.Quic;
using Gimlet.Quic.Protection;

namespace Gimlet.Bench.Quic.Roles;

/// <summary>Gimlet's server.</summary>
internal sealed class GimletServer : ILoadServer
{
    private readonly QuicEndpoint _endpoint;
    private readonly QuicListener _listener;
    private readonly X509Certificate2 _certificate;
    private readonly Task _accepting;

    public GimletServer(ProtectionChoice protection, string folder)
    {
        _certificate = Identity.Load(folder);
        _endpoint = QuicEndpoint.Bind(
            new IPEndPoint(IPAddress.Loopback, 0),
            new QuicEndpointOptions
            {
                Protection = protection,
                ReceiveBufferBytes = Settings.SocketBufferBytes,
                SendBufferBytes = Settings.SocketBufferBytes,
            });
        _listener = _endpoint.Listen(new QuicServerOptions
        {
            ApplicationProtocols = [Settings.Protocol],
            Certificate = QuicCertificate.FromX509(_certificate),
            DecideCertificate = QuicTrust.DangerousAcceptAnyPeer,
            CipherSuites = [Settings.CipherSuite],
            IdleTimeout = Timeout.InfiniteTimeSpan,
            MaxInboundBidirectionalStreams = 2 * Settings.StreamCount,
            MaxUdpPayload = Settings.UdpPayload,
        });
        _accepting = AcceptAsync();
    }

    public int Port => _endpoint.LocalEndPoint!.Port;

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        await _accepting;
        await _endpoint.DisposeAsync();
        _certificate.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptConnectionAsync().ConfigureAwait(false));
            }
        }
        catch (ObjectDisposedException)
        {
            // The end of the benchmark.
        }
    }

    private static async Task ServeAsync(QuicConnection connection)
    {
        await using (connection)
        {
            try
            {
                while (true)
                {
                    _ = ServeAsync(connection, await connection.AcceptStreamAsync().ConfigureAwait(false));
                }
            }
            catch (QuicException)
            {
                // The client has gone.
            }
        }
    }

    private static async Task ServeAsync(QuicConnection connection, QuicStream stream)
    {
        try
        {
            byte[] command = new byte[1];
            await stream.ReadExactlyAsync(command).ConfigureAwait(false);
            switch ((Command)command[0])
            {
                case Command.Bytes:
                    await SendBytesAsync(stream).ConfigureAwait(false);
                    break;
                case Command.Datagrams:
                    await SendDatagramsAsync(connection, stream).ConfigureAwait(false);
                    break;
                default:
                    await stream.WriteAsync(command, completeWrites: true).ConfigureAwait(false);
                    break;
            }
        }
        catch (QuicException)
        {
            // The client has enough.
        }

        BatchMeter.Note(connection);
        await stream.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task SendBytesAsync(QuicStream stream)
    {
        byte[] chunk = new byte[Settings.ChunkBytes];
        while (true)
        {
            await stream.WriteAsync(chunk).ConfigureAwait(false);
        }
    }

    private static async Task SendDatagramsAsync(QuicConnection connection, QuicStream stream)
    {
        byte[] datagram = new byte[Settings.DatagramBytes];
        Task stopped = stream.WritesClosed;
        while (!stopped.IsCompleted)
        {
            // As the quinn peer does it: neither library lets a sender wait for room.
            if (connection.SendDatagram(datagram) == QuicDatagramSendResult.QueueFull)
            {
                await Task.Delay(1).ConfigureAwait(false);
            }
        }
    }
}
