using System.Threading.Channels;

namespace Gimlet.Worker.Tests.Support;

/// <summary>A real worker, and the news that it told.</summary>
internal sealed class LiveWorker : IAsyncDisposable
{
    private readonly Channel<WorkerNews> _news = Channel.CreateUnbounded<WorkerNews>();

    private LiveWorker(GimletWorker worker)
    {
        Worker = worker;
        worker.News += news => _news.Writer.TryWrite(news);
    }

    public GimletWorker Worker { get; }

    public static async Task<LiveWorker> StartAsync(TestRendezvous rendezvous, string id, Func<GimletWorkerOptions, GimletWorkerOptions>? with = null) =>
        await StartAsync(rendezvous.Url, id, with);

    public static async Task<LiveWorker> StartAsync(Uri rendezvous, string id, Func<GimletWorkerOptions, GimletWorkerOptions>? with = null)
    {
        var options = new GimletWorkerOptions { Rendezvous = rendezvous, WorkerId = id, Port = 0, MetadataAddress = null };
        return new LiveWorker(await GimletWorker.StartAsync(with?.Invoke(options) ?? options, TestContext.Current.CancellationToken).Within());
    }

    /// <summary>Waits for the next news of a kind; others before it are skipped.</summary>
    public async Task<T> ToldAsync<T>()
        where T : WorkerNews
    {
        while (true)
        {
            if (await _news.Reader.ReadAsync(TestContext.Current.CancellationToken).Within() is T wanted)
            {
                return wanted;
            }
        }
    }

    public Task<WorkerPeer> PeerAsync() => Worker.AcceptAsync(TestContext.Current.CancellationToken).Within();

    public ValueTask DisposeAsync() => Worker.DisposeAsync();
}
