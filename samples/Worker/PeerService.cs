using System.Text;
using Gimlet.Quic;
using Gimlet.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gimlet.Samples.Worker;

/// <summary>Runs a worker for as long as the host runs, and exchanges a greeting with each peer.</summary>
public sealed partial class PeerService(IConfiguration configuration, ILoggerFactory loggers, ILogger<PeerService> logger) : BackgroundService
{
    // What a stranger may send, in bytes, and how long it may take.
    private const int LongestGreeting = 4096;
    private static readonly TimeSpan GreetingTimeout = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string rendezvous = configuration["RENDEZVOUS_SERVICE_URL"] ?? throw new InvalidOperationException("Set RENDEZVOUS_SERVICE_URL, such as https://gimlet.example.org.");
        GimletWorker worker = await GimletWorker.StartAsync(
            new GimletWorkerOptions { Rendezvous = new Uri(rendezvous), Port = 0, LoggerFactory = loggers }, stoppingToken).ConfigureAwait(false);
        await using (worker.ConfigureAwait(false))
        {
            while (true)
            {
                WorkerPeer peer = await worker.AcceptAsync(stoppingToken).ConfigureAwait(false);
                await using (peer.ConfigureAwait(false))
                {
                    await GreetAsync(peer, worker.WorkerId, stoppingToken).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task GreetAsync(WorkerPeer peer, string self, CancellationToken stoppingToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        bound.CancelAfter(GreetingTimeout);
        try
        {
            // Whoever dialled opens the stream; both write, and both read to the end.
            QuicStream stream = peer.Connection.IsIncoming
                ? await peer.Connection.AcceptStreamAsync(bound.Token).ConfigureAwait(false)
                : await peer.Connection.OpenStreamAsync(cancellationToken: bound.Token).ConfigureAwait(false);
            await stream.WriteAsync(Encoding.UTF8.GetBytes($"hello from {self}"), completeWrites: true, bound.Token).ConfigureAwait(false);
            byte[] greeting = new byte[LongestGreeting];
            int length = await stream.ReadAtLeastAsync(greeting, greeting.Length, throwOnEndOfStream: false, bound.Token).ConfigureAwait(false);
            Greeted(peer.WorkerId, peer.IsAuthenticated, Encoding.UTF8.GetString(greeting, 0, length));
            _ = await peer.Connection.Closed.WaitAsync(stoppingToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GimletException or IOException)
        {
            Lost(peer.WorkerId, e.Message);
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            Lost(peer.WorkerId, "it has not greeted in time");
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Worker {Peer} (authenticated: {IsAuthenticated}) says: {Text}")]
    private partial void Greeted(string peer, bool isAuthenticated, string text);

    [LoggerMessage(2, LogLevel.Warning, "Worker {Peer} is gone: {Reason}")]
    private partial void Lost(string peer, string reason);
}
