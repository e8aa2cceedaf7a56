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
/// <param name="Remote">Where datagrams go.</param>
/// <param name="RemoteKind">What kind of candidate that address is.</param>
/// <param name="RoundTripTime">The last measured round trip; zero before there was one.</param>
public sealed record ConnectionPath(PathKind Kind, IPEndPoint Remote, CandidateKind RemoteKind, TimeSpan RoundTripTime);

/// <summary>A change of path.</summary>
/// <param name="Path">The path now in use; null when the old one died and none works at the moment.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="Elapsed">Since the dial, or since the call came in.</param>
public sealed record PathChange(ConnectionPath? Path, string Reason, TimeSpan Elapsed);

/// <summary>A round trip.</summary>
/// <param name="Sequence">Its number in this connection, from 1.</param>
/// <param name="RoundTripTime">How long it took.</param>
/// <param name="Remote">The address that answered.</param>
public sealed record PingResult(int Sequence, TimeSpan RoundTripTime, IPEndPoint Remote);

/// <summary>A round trip of the peer that this side has answered.</summary>
/// <param name="Sequence">The peer's number.</param>
/// <param name="Remote">The address that it came from.</param>
public sealed record PingReceived(int Sequence, IPEndPoint Remote);
