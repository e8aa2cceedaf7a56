using Gimlet.Quic.Connections;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Trace;

/// <summary>
/// What one connection tells of itself, for people who look for a fault. Called from within the connection's methods, by one thread at a time, in
/// order, after the fact; <c>now</c> is the connection's clock and never goes back. Never throws, never calls back into the connection, keeps no
/// span. A connection without a trace holds null and calls nothing.
/// </summary>
internal interface IConnectionTrace : IDisposable
{
    /// <summary>Called first: the connection begins.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="path">The first path.</param>
    /// <param name="source">Our id of the handshake.</param>
    /// <param name="destination">Where the first packet goes, or came to.</param>
    void ConnectionStarted(TimeSpan now, PathId path, in ConnectionId source, in ConnectionId destination);

    /// <summary>A step of the connection's life.</summary>
    void StateUpdated(TimeSpan now, TraceState state);

    /// <summary>The connection ended.</summary>
    void ConnectionClosed(TimeSpan now, CloseReason reason);

    /// <summary>Transport parameters were sent, or came.</summary>
    void ParametersSet(TimeSpan now, bool isLocal, TransportParameters parameters);

    /// <summary>A packet was sealed.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="path">Which way it goes.</param>
    /// <param name="type">Initial, 0-RTT, Handshake or 1-RTT.</param>
    /// <param name="packetNumber">Its number.</param>
    /// <param name="size">The packet in bytes, with header and tag.</param>
    /// <param name="payload">Its frames, before they are encrypted.</param>
    void PacketSent(TimeSpan now, PathId path, PacketType type, long packetNumber, int size, ReadOnlySpan<byte> payload);

    /// <summary>A packet was opened, before its frames are worked on.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="path">Which way it came.</param>
    /// <param name="type">Initial, 0-RTT, Handshake or 1-RTT; of Retry and Version Negotiation number and payload mean nothing.</param>
    /// <param name="packetNumber">Its number.</param>
    /// <param name="size">The packet in bytes, with header and tag.</param>
    /// <param name="payload">Its frames, decrypted. May be anything: the peer wrote it.</param>
    void PacketReceived(TimeSpan now, PathId path, PacketType type, long packetNumber, int size, ReadOnlySpan<byte> payload);

    /// <summary>A packet was thrown away.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="path">Which way it came.</param>
    /// <param name="type">What it is, where that is known.</param>
    /// <param name="size">In bytes.</param>
    /// <param name="reason">Why.</param>
    void PacketDropped(TimeSpan now, PathId path, PacketType? type, int size, PacketDropReason reason);

    /// <summary>A packet is taken as lost.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="path">Which way it went.</param>
    /// <param name="type">What it was.</param>
    /// <param name="packetNumber">Its number.</param>
    /// <param name="reason">Why, where that is known.</param>
    void PacketLost(TimeSpan now, PathId path, PacketType type, long packetNumber, PacketLossReason? reason);

    /// <summary>Recovery's numbers of a path, when they changed; at most once per acknowledgement, loss or timeout.</summary>
    void MetricsUpdated(TimeSpan now, PathId path, in TraceMetrics metrics);

    /// <summary>Keys were installed, or updated.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="sender">Whose packets they protect.</param>
    /// <param name="space">Which packets.</param>
    /// <param name="generation">How many updates there were (RFC 9001 section 6).</param>
    /// <param name="trigger">Why.</param>
    void KeyUpdated(TimeSpan now, EndpointRole sender, PacketNumberSpace space, long generation, KeyUpdateTrigger trigger);

    /// <summary>Keys of both directions were discarded (RFC 9001 section 4.9).</summary>
    void KeyDiscarded(TimeSpan now, PacketNumberSpace space);

    /// <summary>A path was probed, validated, given up, or sent on.</summary>
    void PathUpdated(TimeSpan now, PathId path, TracePathState state);

    /// <summary>The largest datagram of a path changed.</summary>
    void MtuUpdated(TimeSpan now, PathId path, int old, int current);
}
