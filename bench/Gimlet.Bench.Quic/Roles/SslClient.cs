using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Gimlet.Bench.Quic.Roles;

/// <summary>The client of <see cref="SslServer"/>. TCP has one stream per connection, so a hundred streams are a hundred connections.</summary>
internal sealed class SslClient : ILoadClient
{
    private readonly SslClientAuthenticationOptions _options;
    private readonly X509Certificate2 _certificate;
    private readonly int _port;

    public SslClient(string folder, int port)
    {
        _port = port;
        _certificate = Identity.Load(folder);
        _options = new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ClientCertificateContext = SslStreamCertificateContext.Create(_certificate, additionalCertificates: null, offline: true),
#pragma warning disable CA5398 // The version is part of what is compared: QUIC has no other.
            EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls13,
#pragma warning restore CA5398
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null,
            ApplicationProtocols = [Settings.Protocol],
            CipherSuitesPolicy = OneSuite(),
            AllowTlsResume = false,
        };
    }

    public static CipherSuitesPolicy OneSuite() =>
        OperatingSystem.IsLinux() ? new CipherSuitesPolicy([Settings.CipherSuite]) : throw new PlatformNotSupportedException();

    public Task LoadAsync(Workload workload, LoadSpan span) => workload switch
    {
        Workload.Stream => ReceiveBytesAsync(1, span),
        Workload.Streams => ReceiveBytesAsync(Settings.StreamCount, span),
        Workload.Handshakes => ShakeHandsAsync(span),
        _ => throw new NotSupportedException("TLS has no datagrams."),
    };

    public Task ConnectIdleAsync(int count) => throw new NotSupportedException("Measured for QUIC only.");

    public ValueTask DisposeAsync()
    {
        _certificate.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<SslStream> ConnectAsync(Command command)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, _port).ConfigureAwait(false);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(_options).ConfigureAwait(false);
        await stream.WriteAsync(new[] { (byte)command }).ConfigureAwait(false);
        return stream;
    }

    private async Task ReceiveBytesAsync(int count, LoadSpan span)
    {
        var streams = new List<SslStream>(count);
        for (int i = 0; i < count; i++)
        {
            streams.Add(await ConnectAsync(Command.Bytes));
        }

        span.Begin();
        Task[] receiving = [.. streams.Select(s => ReceiveBytesAsync(s, span))];
        await span.EndAsync();
        await Task.WhenAll(receiving);
    }

    private static async Task ReceiveBytesAsync(SslStream stream, LoadSpan span)
    {
        await using (stream)
        {
            byte[] buffer = new byte[Settings.ChunkBytes];
            while (!span.IsOver)
            {
                span.Add(await stream.ReadAsync(buffer).ConfigureAwait(false));
            }
        }
    }

    private async Task ShakeHandsAsync(LoadSpan span)
    {
        span.Begin();
        Task[] loops = [.. Enumerable.Range(0, Settings.ParallelHandshakes).Select(_ => ShakeHandsInTurnAsync(span))];
        await span.EndAsync();
        await Task.WhenAll(loops);
    }

    private async Task ShakeHandsInTurnAsync(LoadSpan span)
    {
        byte[] answer = new byte[1];
        while (!span.IsOver)
        {
            await using SslStream stream = await ConnectAsync(Command.OneByte).ConfigureAwait(false);
            await stream.ReadExactlyAsync(answer).ConfigureAwait(false);
            span.AddOne(answer.Length);
        }
    }
}
