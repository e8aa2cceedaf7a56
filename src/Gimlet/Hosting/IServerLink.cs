using System.Net;

namespace Gimlet.Hosting;

/// <summary>
/// The connection with one server, for as long as the node lives: it is opened again whenever it ends. Methods are called from any thread, and do not block.
/// </summary>
internal interface IServerLink : IAsyncDisposable
{
    /// <summary>Queues a text frame; false when there is no connection or it is stalled.</summary>
    bool TrySend(byte[] frame);

    /// <summary>Queues datagrams for a peer; false when there is no connection.</summary>
    bool TryRelay(PeerId peer, ReadOnlySpan<byte> datagrams, int segmentSize);

    /// <summary>Ends the present connection; another is opened after the backoff.</summary>
    void Restart();

    /// <summary>Where the link waits before it is opened again, it waits no longer; what is open or being opened goes on.</summary>
    void Hurry();

    /// <summary>Ends the present connection; another is opened now.</summary>
    void RestartAtOnce();
}

/// <summary>What a node stands on: sockets, this machine's addresses and connections with servers; a rehearsal has its own.</summary>
internal abstract class NodeGround
{
    /// <summary>The machine's own.</summary>
    public static NodeGround Real { get; } = new RealGround();

    /// <summary>Binds the node's sockets.</summary>
    public abstract NodeSockets Bind(int port, bool orAny);

    /// <summary>The addresses that are worth being candidates.</summary>
    public abstract List<IPAddress> FindAddresses(int max, bool includeLoopback);

    /// <summary>Opens the connection with a server.</summary>
    public abstract IServerLink Open(Uri server, int session, ISignallingLinkEvents events, TimeProvider time);

    private sealed class RealGround : NodeGround
    {
        public override NodeSockets Bind(int port, bool orAny) => NodeSockets.Bind(port, orAny);

        public override List<IPAddress> FindAddresses(int max, bool includeLoopback) => HostAddresses.Find(max, includeLoopback);

        public override IServerLink Open(Uri server, int session, ISignallingLinkEvents events, TimeProvider time) => new SignallingLink(server, session, events, time);
    }
}
