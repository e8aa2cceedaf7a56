using System.Net;
using System.Security.Cryptography.X509Certificates;
using Gimlet.Quic;
using Gimlet.Quic.Protection;

namespace Gimlet.Bench.Quic.Roles;

/// <summary>Gimlet's client.</summary>
internal sealed class GimletClient : ILoadClient
{
    private readonly QuicEndpoint _endpoint;
    private readonly QuicClientOptions _options;
    private readonly IPEndPoint _server;
    private readonly X509Certificate2 _certificate;
    private readonly List<QuicConnection> _idle = [];
    private QuicConnection? _connection;

    public GimletClient(ProtectionChoice protection, string folder, int port)
    {
        _certificate = Identity.Load(folder);
        _server = new IPEndPoint(IPAddress.Loopback, port);
        _endpoint = QuicEndpoint.Bind(
            new IPEndPoint(IPAddress.Loopback, 0),
            new QuicEndpointOptions
            {
                Protection = protection,
                ReceiveBufferBytes = Settings.SocketBufferBytes,
                SendBufferBytes = Settings.SocketBufferBytes,
            });
        _options = new QuicClientOptions
        {
            ApplicationProtocols = [Settings.Protocol],
            Certificate = QuicCertificate.FromX509(_certificate),
            DecideCertificate = QuicTrust.DangerousAcceptAnyPeer,
            CipherSuites = [Settings.CipherSuite],
            IdleTimeout = Timeout.InfiniteTimeSpan,
            MaxUdpPayload = Settings.UdpPayload,
            TargetHost = "localhost",
        };
    }

    public async Task LoadAsync(Workload workload, LoadSpan span)
    {
        switch (workload)
        {
            case Workload.Stream:
                await ReceiveBytesAsync(1, span);
                break;
            case Workload.Streams:
                await ReceiveBytesAsync(Settings.StreamCount, span);
                break;
            case Workload.Datagrams:
                await ReceiveDatagramsAsync(span);
                break;
            default:
                await ShakeHandsAsync(span);
                break;
        }
    }

    public async Task ConnectIdleAsync(int count)
    {
        for (int i = 0; i < count; i += Settings.ParallelHandshakes)
        {
            IEnumerable<Task<QuicConnection>> dials = Enumerable.Range(0, Math.Min(Settings.ParallelHandshakes, count - i))
                .Select(_ => _endpoint.ConnectAsync(_server, _options).AsTask());
            _idle.AddRange(await Task.WhenAll(dials));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoint.DisposeAsync();
        _certificate.Dispose();
    }

    private async Task ReceiveBytesAsync(int count, LoadSpan span)
    {
        _connection ??= await _endpoint.ConnectAsync(_server, _options);
        var streams = new List<QuicStream>(count);
        for (int i = 0; i < count; i++)
        {
            streams.Add(await _connection.OpenStreamAsync(QuicStreamType.Bidirectional));
        }

        span.Begin();
        Task[] receiving = [.. streams.Select(s => ReceiveBytesAsync(s, span))];
        await span.EndAsync();
        streams.ForEach(static s => s.Abort(QuicAbortDirection.Read, 0));
        await Task.WhenAll(receiving);
    }

    private static async Task ReceiveBytesAsync(QuicStream stream, LoadSpan span)
    {
        await using (stream)
        {
            byte[] buffer = new byte[Settings.ChunkBytes];
            try
            {
                await stream.WriteAsync(new[] { (byte)Command.Bytes }, completeWrites: true).ConfigureAwait(false);
                while (true)
                {
                    int count = await stream.ReadAsync(buffer).ConfigureAwait(false);
                    if (count == 0)
                    {
                        throw new InvalidOperationException("The server stopped by itself.");
                    }

                    span.Add(count);
                }
            }
            catch (QuicException e) when (e.Kind == QuicErrorKind.OperationAborted)
            {
                // The end of the round.
            }
        }
    }

    private async Task ReceiveDatagramsAsync(LoadSpan span)
    {
        _connection ??= await _endpoint.ConnectAsync(_server, _options);
        await using QuicStream stream = await _connection.OpenStreamAsync(QuicStreamType.Bidirectional);
        using var end = new CancellationTokenSource();
        span.Begin();
        Task receiving = ReceiveDatagramsAsync(_connection, span, end.Token);
        await stream.WriteAsync(new[] { (byte)Command.Datagrams }, completeWrites: true);
        await span.EndAsync();
        stream.Abort(QuicAbortDirection.Read, 0);
        await end.CancelAsync();
        await receiving;
    }

    private static async Task ReceiveDatagramsAsync(QuicConnection connection, LoadSpan span, CancellationToken end)
    {
        byte[] buffer = new byte[Settings.UdpPayload];
        try
        {
            while (!end.IsCancellationRequested)
            {
                span.AddOne(await connection.ReceiveDatagramAsync(buffer, end).ConfigureAwait(false));
            }
        }
        catch (OperationCanceledException)
        {
            // The end of the round.
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
            await using QuicConnection connection = await _endpoint.ConnectAsync(_server, _options).ConfigureAwait(false);
            await using QuicStream stream = await connection.OpenStreamAsync(QuicStreamType.Bidirectional).ConfigureAwait(false);
            await stream.WriteAsync(new[] { (byte)Command.OneByte }, completeWrites: true).ConfigureAwait(false);
            await stream.ReadExactlyAsync(answer).ConfigureAwait(false);
            span.AddOne(answer.Length);
        }
    }
}
