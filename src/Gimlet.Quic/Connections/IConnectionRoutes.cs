using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <summary>
/// How a connection is found: the endpoint's table, seen from one connection. Called from within the connection's methods, so by one thread at a
/// time for one connection, but by many for the endpoint. Never calls back into the connection.
/// </summary>
internal interface IConnectionRoutes
{
    /// <summary>Makes a connection id that leads to this connection from now on, and its stateless reset token.</summary>
    ConnectionId Issue(out StatelessResetToken token);

    /// <summary>The id no longer leads here (RFC 9000 section 5.1.2).</summary>
    void Retire(in ConnectionId id);

    /// <summary>A datagram that ends with this token is a stateless reset of this connection (RFC 9000 section 10.3.1).</summary>
    void AddResetToken(in StatelessResetToken token);

    /// <summary>The peer's id of that token is no longer in use.</summary>
    void RemoveResetToken(in StatelessResetToken token);
}
