using System.Net;

namespace Gimlet;

/// <summary>Whether a path goes straight to the peer.</summary>
public enum PathKind
{
    /// <summary>Through a server. <c>relay</c></summary>
    Relay,

    /// <summary>Straight to the peer's address. <c>direct</c></summary>
    Direct,
}

/// <summary>The path that a connection uses.</summary>
/// <param name="Kind">Straight or through a server.</param>
/// <param name="Remote">Where datagrams go; null for the relay, which knows the way.</param>
/// <param name="RemoteKind">What kind of candidate that address is.</param>
/// <param name="RoundTripTime">The smoothed round trip of the path (RFC 9002 section 5.3), as it was when this was made; zero before one was measured.</param>
public sealed record ConnectionPath(PathKind Kind, IPEndPoint? Remote, CandidateKind RemoteKind, TimeSpan RoundTripTime)
{
    /// <summary>The server that relays; null for a direct path.</summary>
    public Uri? Server { get; init; }
}

/// <summary>One of the paths that a connection knows, with its figures.</summary>
/// <param name="Path">The path.</param>
/// <param name="State">What it is good for.</param>
/// <param name="BytesSent">UDP payload sent there, in bytes.</param>
/// <param name="BytesReceived">UDP payload that came there, in bytes.</param>
/// <param name="PacketsSent">QUIC packets sent there.</param>
/// <param name="PacketsLost">Those that were declared lost.</param>
public sealed record ConnectionPathFigures(ConnectionPath Path, PathState State, long BytesSent, long BytesReceived, long PacketsSent, long PacketsLost)
{
    /// <summary>
    /// This side's address, where the peer's checks come to. Null for the relay, whose WebSocket it is not told of, and for an address that no check was answered on:
    /// the system chooses the interface of each datagram, and tells of those that come only.
    /// </summary>
    public IPEndPoint? Local { get; init; }

    /// <summary>The share of packets that were lost, 0 to 1.</summary>
    public double Loss => PacketsSent == 0 ? 0 : (double)PacketsLost / PacketsSent;
}

/// <summary>What a path is good for at the moment.</summary>
public enum PathState
{
    /// <summary>Data goes there.</summary>
    InUse,

    /// <summary>It works and waits.</summary>
    Backup,

    /// <summary>It is not proven, or not any more.</summary>
    Unproven,
}

/// <summary>A change of path.</summary>
/// <param name="Path">The path now in use; null while nothing comes from the peer on any.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="Elapsed">Since the dial, or since the call came in.</param>
public sealed record PathChange(ConnectionPath? Path, string Reason, TimeSpan Elapsed);

/// <summary>A round trip.</summary>
/// <param name="Sequence">Its number in this connection, from 1.</param>
/// <param name="RoundTripTime">How long it took.</param>
/// <param name="Path">The path in use when the answer came.</param>
public sealed record PingResult(int Sequence, TimeSpan RoundTripTime, ConnectionPath Path);

/// <summary>A round trip of the peer that this side has answered.</summary>
/// <param name="Sequence">The peer's number.</param>
/// <param name="Path">The path in use when it came.</param>
public sealed record PingReceived(int Sequence, ConnectionPath Path);
