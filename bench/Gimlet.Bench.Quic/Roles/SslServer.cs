using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Gimlet.Bench.Quic.Roles;

/// <summary>The framework's TLS over TCP: what an application without QUIC would use.</summary>
internal sealed class SslServer : ILoadServer
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly SslServerAuthenticationOptions _options;
    private readonly X509Certificate2 _certificate;
    private readonly Task _accepting;

    public SslServer(string folder)
    {
        _certificate = Identity.Load(folder);
        _options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(_certificate, additionalCertificates: null, offline: true),
            ClientCertificateRequired = true,
#pragma warning disable CA5398 // The version is part of what is compared: QUIC has no other.
            EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls13,
#pragma warning restore CA5398
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null,
            ApplicationProtocols = [Settings.Protocol],
            CipherSuitesPolicy = SslClient.OneSuite(),
            AllowTlsResume = false,
        };
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        _certificate.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync().ConfigureAwait(false));
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // The end of the benchmark.
        }
    }

    private async Task ServeAsync(TcpClient socket)
    {
        socket.NoDelay = true;
        await using var stream = new SslStream(socket.GetStream());
        try
        {
            await stream.AuthenticateAsServerAsync(_options).ConfigureAwait(false);
            byte[] command = new byte[1];
            await stream.ReadExactlyAsync(command).ConfigureAwait(false);
            if ((Command)command[0] == Command.OneByte)
            {
                await stream.WriteAsync(command).ConfigureAwait(false);
                return;
            }

            byte[] chunk = new byte[Settings.ChunkBytes];
            while (true)
            {
                await stream.WriteAsync(chunk).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // The client has enough.
        }
    }
}
