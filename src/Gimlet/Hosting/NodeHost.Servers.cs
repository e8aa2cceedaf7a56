using Gimlet.Quic;

namespace Gimlet.Hosting;

/// <content>
/// The servers that the node speaks with: those that it was given, for as long as it lives, and those that tickets name, while their peers need them
/// (<see cref="Node.NodeCore.NeedSession"/>).
/// </content>
internal sealed partial class NodeHost
{
    // Each is a WebSocket that is kept open; tickets of strangers must not make a node speak with a hundred servers at once.
    private const int MaxServers = 16;

    /// <summary>The server of a session; null for one that is not there any more.</summary>
    public Uri? ServerOf(int session) => Find(session)?.Server;

    /// <summary>The sessions with the servers of a peer's ticket; those that are new are opened, all or none.</summary>
    /// <param name="peer">The peer: while it is of interest the sessions stay, and a few seconds longer (PeerTable).</param>
    /// <param name="servers">The ticket's servers.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.BadUsage"/>: this node would speak with too many servers.</exception>
    public IReadOnlyList<int> SessionsWith(PeerId peer, IReadOnlyList<Uri> servers)
    {
        if (servers.Count == 0)
        {
            return [];
        }

        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(GimletNode));
            int others = servers.Distinct().Count(server => !Array.Exists(_servers, s => s.Server == server));
            if (others > 0 && _servers.Length + others > MaxServers)
            {
                throw new GimletException(
                    GimletErrorKind.BadUsage,
                    $"This node speaks with {_servers.Length} servers, the ticket of {peer} names {others} others, and {MaxServers} are the most.",
                    "Servers of tickets are left a few seconds after the last connection that needs them has ended; or use one node for each group of servers.");
            }

            // Its end is told for a peer that is known only.
            Peers.Touch(peer, Now);
            var sessions = new List<int>();
            foreach (Uri server in servers)
            {
                int session = Array.Find(_servers, s => s.Server == server)?.Number ?? AddServer(server);
                _core.NeedSession(session, peer);
                sessions.Add(session);
            }

            Drain();
            return sessions;
        }
    }

    private ServerSession? Find(int session)
    {
        // Sixteen at most, the home server is the first: nothing is faster.
        foreach (ServerSession server in Volatile.Read(ref _servers))
        {
            if (server.Number == session)
            {
                return server;
            }
        }

        return null;
    }

    private IServerLink? LinkOf(int session) => Find(session)?.Link;

    // Called with the lock held. Readers without it see the old array or the new one.
    private int AddServer(Uri server)
    {
        var added = new ServerSession(_core.AddSession(), server);
        added.Link = _options.Ground.Open(server, added.Number, this, _time);
        Volatile.Write(ref _servers, [.. _servers, added]);
        return added.Number;
    }

    // Called with the lock held.
    private void ReleaseServersOf(PeerId peer)
    {
        foreach (int session in _core.ReleaseSessions(peer))
        {
            RemoveServer(session, "no connection needs this server of a ticket any more");
        }
    }

    // Called with the lock held.
    private void RemoveServer(int session, string reason)
    {
        if (Find(session) is not { } server)
        {
            return;
        }

        Volatile.Write(ref _servers, [.. _servers.Where(s => s != server)]);
        _core.RemoveSession(session, Now);
        Paths.LeaveServer(session);
        _ = _events.Writer.TryWrite(new ServerLeft(server.Server, reason));

        // Not here: a link that ends calls back.
        Track(() => server.Link!.DisposeAsync().AsTask());
    }

    // A link that was closed for good is opened again.
    private void Reopen(int session)
    {
        lock (_gate)
        {
            if (!_disposed && Find(session) is { } server)
            {
                IServerLink closed = server.Link!;
                server.Link = _options.Ground.Open(server.Server, session, this, _time);
                Track(() => closed.DisposeAsync().AsTask());
            }
        }
    }

    /// <summary>A server that the node speaks with.</summary>
    private sealed class ServerSession(int number, Uri server)
    {
        /// <summary>The number of the session; never another one's.</summary>
        public int Number { get; } = number;

        public Uri Server { get; } = server;

        /// <summary>Null before the node has started.</summary>
        public IServerLink? Link { get; set; }

        /// <summary>Made with the first relayed frame; used by the link's own task only.</summary>
        public QuicReceiver? Receiver { get; set; }
    }
}
