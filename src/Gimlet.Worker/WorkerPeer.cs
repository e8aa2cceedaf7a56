namespace Gimlet.Worker;

/// <summary>Another worker, connected.</summary>
public sealed class WorkerPeer : IAsyncDisposable
{
    internal WorkerPeer(string workerId, PeerId? peerId, GimletConnection connection)
    {
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

    /// <summary>Ends the connection.</summary>
    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
