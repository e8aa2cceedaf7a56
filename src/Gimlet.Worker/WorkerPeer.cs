namespace Gimlet.Worker;

/// <summary>Another worker, connected.</summary>
public sealed class WorkerPeer : IAsyncDisposable
{
    private readonly Func<Task> _leaving;

    internal WorkerPeer(string workerId, PeerId? peerId, GimletConnection connection, Func<Task> leaving)
    {
        _leaving = leaving;
        WorkerId = workerId;
        PeerId = peerId;
        Connection = connection;
    }

    /// <summary>The name under which the rendezvous offered it.</summary>
    public string WorkerId { get; }

    /// <summary>The peer id that it has proven to the rendezvous and to this worker; null where only its address was known.</summary>
    public PeerId? PeerId { get; }

    /// <summary>The connection. When it ends, the worker waits for the next offer.</summary>
    public GimletConnection Connection { get; }

    /// <summary>True where the other side has proven to be <see cref="PeerId"/>. False: it is whoever answered at the address that the rendezvous named.</summary>
    public bool IsAuthenticated => Connection.IsAuthenticated;

    /// <summary>Ends the connection; a worker of one peer leaves the rendezvous before. Safe to call twice.</summary>
    public async ValueTask DisposeAsync()
    {
        await _leaving().ConfigureAwait(false);
        await Connection.DisposeAsync().ConfigureAwait(false);
    }
}
