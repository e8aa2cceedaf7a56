using Gimlet.Quic;

namespace Gimlet.Connections;

/// <summary>What a connection needs of whoever keeps it. Called from any thread, never with a lock of the connection held.</summary>
internal interface IConnectionOwner
{
    /// <summary>The number of this process.</summary>
    ulong Instance { get; }

    /// <summary>The clock.</summary>
    TimeProvider Time { get; }

    /// <summary>Where a connection sends now.</summary>
    ConnectionPath Describe(QuicConnection quic);

    /// <summary>All paths of a connection.</summary>
    IReadOnlyList<ConnectionPathFigures> DescribeAll(QuicConnection quic);

    /// <summary>Why a connection uses the relay.</summary>
    RelayVerdict Explain(GimletConnection connection);

    /// <summary>QUIC hears nothing on a path.</summary>
    void PathSilent(GimletConnection connection, QuicPath path);

    /// <summary>The peer's newest data came on a path.</summary>
    void PeerMoved(GimletConnection connection, QuicPath path);

    /// <summary>A handler of the application threw.</summary>
    void HandlerFailed(Exception exception);

    /// <summary>The peer has named its process.</summary>
    void HelloReceived(GimletConnection connection);

    /// <summary>The connection has ended; once, last.</summary>
    void Ended(GimletConnection connection);

    /// <summary>The connection moved from one path to another.</summary>
    void CountMove(PathKind from, PathKind to, GimletConnection connection);

    /// <summary>A direct path carries the connection, or could.</summary>
    bool IsDirect(GimletConnection connection);

    /// <summary>What this side has to say of the direct path and of the relay where the peer makes a race.</summary>
    RaceSide DescribeRace(GimletConnection connection);

    /// <summary>The sides of a race have agreed. Called with the connection's lock for races held: calls of one connection come in the order of what was agreed.</summary>
    void Settle(GimletConnection connection, PathKind winner);
}
