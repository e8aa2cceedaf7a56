using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Endpoints;

/// <summary>
/// Which connection a datagram is for, by connection id and by stateless reset token. Lock-free for readers, safe from any thread. What a peer
/// can add is bounded by the connections: each issues at most active_connection_id_limit ids, and keeps as many tokens of the peer.
/// </summary>
/// <typeparam name="T">The connection.</typeparam>
internal sealed class RouteTable<T>
    where T : class
{
    private readonly ConcurrentDictionary<ConnectionId, T> _ids = new();
    private readonly ConcurrentDictionary<StatelessResetToken, T> _tokens = new();

    /// <summary>How many ids lead somewhere.</summary>
    public int IdCount => _ids.Count;

    /// <summary>How many tokens are known.</summary>
    public int TokenCount => _tokens.Count;

    /// <summary>The connection of an id, as it stands in a datagram.</summary>
    public bool TryFind(ReadOnlySpan<byte> id, [NotNullWhen(true)] out T? connection)
    {
        connection = null;
        return id.Length <= ConnectionId.MaxLength && _ids.TryGetValue(new ConnectionId(id), out connection);
    }

    /// <summary>The connection of an id.</summary>
    public bool TryFindId(in ConnectionId id, [NotNullWhen(true)] out T? connection) => _ids.TryGetValue(id, out connection);

    /// <summary>The connection that expects a reset with this token.</summary>
    public bool TryFind(in StatelessResetToken token, [NotNullWhen(true)] out T? connection) => _tokens.TryGetValue(token, out connection);

    /// <summary>Draws an id that is not in use and lets it lead to a connection.</summary>
    public ConnectionId Issue(T connection, Action<Span<byte>> random)
    {
        while (true)
        {
            var id = ConnectionId.Create(random, ConnectionCore.LocalIdLength);
            if (_ids.TryAdd(id, connection))
            {
                return id;
            }
        }
    }

    /// <summary>Lets an id that somebody else chose lead to a connection.</summary>
    /// <returns>False when it leads somewhere already.</returns>
    public bool TryAdd(in ConnectionId id, T connection) => _ids.TryAdd(id, connection);

    /// <summary>Forgets an id, if it leads to this connection.</summary>
    public void Remove(in ConnectionId id, T connection) => _ = _ids.TryRemove(new KeyValuePair<ConnectionId, T>(id, connection));

    /// <summary>
    /// A reset with this token ends this connection. Two connections to peers with the same token would be one attacker's work: the first keeps it.
    /// </summary>
    public void AddToken(in StatelessResetToken token, T connection) => _ = _tokens.TryAdd(token, connection);

    /// <summary>Forgets a token, if it is this connection's.</summary>
    public void RemoveToken(in StatelessResetToken token, T connection) =>
        _ = _tokens.TryRemove(new KeyValuePair<StatelessResetToken, T>(token, connection));
}
