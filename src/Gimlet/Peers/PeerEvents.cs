using Gimlet.Node;

namespace Gimlet.Peers;

/// <summary>What a <see cref="PeerTable"/> tells its host.</summary>
internal abstract record PeerEvent(PeerId Peer) : NodeEvent;

/// <summary>The connections with the peer belong on this path now.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Direct">The direct path; null for the relay.</param>
/// <param name="LeftSilent">The path before was left because it had fallen silent: what is under way there is lost.</param>
/// <param name="Reason">In words.</param>
internal sealed record PathChosen(PeerId Peer, PathInfo? Direct, bool LeftSilent, string Reason) : PeerEvent(Peer);

/// <summary>No call looks for a direct path to the peer any more.</summary>
internal sealed record SearchEnded(PeerId Peer) : PeerEvent(Peer);

/// <summary>The path that is in use anyway works again after a silence: whoever waits to send again need not wait longer.</summary>
internal sealed record PathWorksAgain(PeerId Peer, PathInfo? Direct) : PeerEvent(Peer);

/// <summary>The peer is of no interest any more: no connection, no dial, no call.</summary>
internal sealed record PeerForgotten(PeerId Peer) : PeerEvent(Peer);

/// <summary>So many dials of the peer were accepted and are not connections yet: as long as there are any, its connections may begin.</summary>
internal sealed record DialsExpected(PeerId Peer, int Count) : PeerEvent(Peer);

/// <summary>A dial of the peer that was accepted, and no connection yet, will not become one: its caller has given up, or its time is over.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Call">The dial's call.</param>
/// <param name="Protocol">What it was for.</param>
/// <param name="IsLast">No other dial of the peer for that protocol is expected: who waits for one waits in vain.</param>
internal sealed record ExpectedDialEnded(PeerId Peer, CallId Call, string Protocol, bool IsLast) : PeerEvent(Peer);

/// <summary>A dial cannot succeed.</summary>
internal sealed record DialFailed(PeerId Peer, CallId Call, GimletErrorKind Kind, string Message, string? Hint) : PeerEvent(Peer);

/// <summary>The peer dials this node for the same protocol, and its dial is the one that goes on.</summary>
internal sealed record DialGlared(PeerId Peer, CallId Call) : PeerEvent(Peer);

/// <summary>An attempt to open a direct path is over, or was not made.</summary>
internal sealed record PunchEnded(PeerId Peer, CallId Call, PunchOutcome Outcome, TimeSpan Elapsed, string? Message) : PeerEvent(Peer);

/// <summary>How an attempt ended.</summary>
internal enum PunchOutcome
{
    /// <summary>A path works.</summary>
    Succeeded,

    /// <summary>No pair worked.</summary>
    Failed,

    /// <summary>One of the two takes part in no direct paths.</summary>
    Unsupported,
}
