using Gimlet.Calls;
using Gimlet.Sockets;
using Gimlet.Stun.Discovery;

namespace Gimlet.Node;

/// <summary>News from the core for its host.</summary>
internal abstract record NodeEvent;

/// <summary>News of a server.</summary>
/// <param name="Session">Which; of one that has gone since, nobody hears any more.</param>
internal abstract record SessionEvent(int Session) : NodeEvent;

/// <summary>A server has named its STUN addresses; the host resolves them and calls <see cref="NodeCore.AddStunTargets"/>.</summary>
internal sealed record StunServersNamed(int Session, IReadOnlyList<string> Servers) : SessionEvent(Session);

/// <summary>A server knows this node.</summary>
internal sealed record SessionRegistered(int Session, string? Observed) : SessionEvent(Session);

/// <summary>A server named an error.</summary>
internal sealed record SessionError(int Session, string Code, string Detail) : SessionEvent(Session);

/// <summary>The host should close the WebSocket of a session.</summary>
internal sealed record SessionGivenUp(int Session, string Reason) : SessionEvent(Session);

/// <summary>A session with a ticket's server is with the same server as another one, which takes its calls; the host closes the WebSocket and calls <see cref="NodeCore.RemoveSession"/>.</summary>
internal sealed record SessionMerged(int Session, int Into) : SessionEvent(Session);

/// <summary>A server dropped relayed datagrams of this node.</summary>
internal sealed record SessionLimited(int Session, string Limit, long Value, long Dropped) : SessionEvent(Session);

/// <summary>A server could not deliver relayed datagrams.</summary>
internal sealed record PeerUnreachable(int Session, PeerId Peer, string Reason) : SessionEvent(Session);

/// <summary>Something on the signalling connection was ignored.</summary>
internal sealed record SignalIgnored(int Session, string Problem) : SessionEvent(Session);

/// <summary>The candidates are others than before.</summary>
internal sealed record CandidatesChanged(PublicAddress Public, int Count) : NodeEvent;

/// <summary>Every STUN server has answered or failed.</summary>
internal sealed record GatheringEnded : NodeEvent;

/// <summary>The classification of the NAT wants a socket that nothing else has used; the host binds it.</summary>
internal sealed record ProbeSocketNeeded : NodeEvent;

/// <summary>STUN answered nothing: the host should look for a fallback and call <see cref="NodeCore.SetFallback"/>.</summary>
internal sealed record FallbackNeeded : NodeEvent;

/// <summary>The NAT is classified.</summary>
internal sealed record NatClassified(NatBehavior Behavior) : NodeEvent;

/// <summary>News of a call.</summary>
/// <param name="Handle">What the dial returned, or the call's id.</param>
internal abstract record CallEvent(CallId Handle) : NodeEvent;

/// <summary>A path works: the call is a connection.</summary>
internal sealed record CallConnected(CallId Handle, CallId Call, PeerId Peer, bool IsIncoming, bool IsAuthenticated, PathInfo Path, TimeSpan Elapsed) : CallEvent(Handle);

/// <summary>The path in use has become another one.</summary>
internal sealed record CallPathChanged(CallId Handle, PathInfo Path, string Reason, TimeSpan Elapsed) : CallEvent(Handle);

/// <summary>The path in use is dead; others are being tried.</summary>
internal sealed record CallPathLost(CallId Handle, TimeSpan Elapsed) : CallEvent(Handle);

/// <summary>A round trip came back.</summary>
internal sealed record CallPong(CallId Handle, uint Sequence, TimeSpan RoundTripTime, TransportAddress Remote) : CallEvent(Handle);

/// <summary>A round trip of the peer was answered.</summary>
internal sealed record CallPinged(CallId Handle, uint Sequence, TransportAddress Remote) : CallEvent(Handle);

/// <summary>A peer's call was accepted: what it sends by the relay is welcome.</summary>
/// <param name="Handle">The call.</param>
/// <param name="Peer">The caller.</param>
/// <param name="Session">The server that carried the call.</param>
/// <param name="Protocol">What it dials for; null for a call that only looks for paths.</param>
/// <param name="Proven">Public addresses of the caller where the server saw it; empty where no direct path is looked for.</param>
internal sealed record CallAdmitted(CallId Handle, PeerId Peer, int Session, string? Protocol, IReadOnlyList<TransportAddress> Proven) : CallEvent(Handle)
{
    /// <summary>Checks begin with it: the caller has named addresses, for it wants a direct path and has none, and this side takes part in direct paths.</summary>
    public bool LooksForPaths { get; init; }
}

/// <summary>A call of this node goes out by a server: what it relays goes there as well.</summary>
internal sealed record CallRouted(CallId Handle, PeerId Peer, int Session) : CallEvent(Handle)
{
    /// <summary>It dials for a protocol; otherwise it only looks for paths.</summary>
    public bool IsDial { get; init; }
}

/// <summary>Both sides know of each other, and checks begin: only from here on a punch is attempted.</summary>
internal sealed record CallIntroduced(CallId Handle, PeerId Peer, bool IsIncoming) : CallEvent(Handle);

/// <summary>Both sides know of each other, and no punch is made: a direct path to the peer works already.</summary>
internal sealed record CallSharesPath(CallId Handle, PeerId Peer) : CallEvent(Handle);

/// <summary>An authenticated check of the peer came from an address for the first time.</summary>
internal sealed record CallHeard(CallId Handle, PeerId Peer, TransportAddress Remote, bool IsServerless) : CallEvent(Handle);

/// <summary>The peer is calling this node for the same protocol, and its call is the one that goes on.</summary>
internal sealed record CallGlared(CallId Handle) : CallEvent(Handle);

/// <summary>The caller of a call that was taken has given up.</summary>
/// <param name="Handle">The call.</param>
/// <param name="Session">The server that says so.</param>
internal sealed record CallHungUp(CallId Handle, int Session) : CallEvent(Handle);

/// <summary>The path in use does not answer at the moment; it is being probed, and the others with it.</summary>
internal sealed record CallPathSuspect(CallId Handle) : CallEvent(Handle);

/// <summary>The path in use answers again.</summary>
internal sealed record CallPathRecovered(CallId Handle, PathInfo Path) : CallEvent(Handle);

/// <summary>A call did not open a direct path.</summary>
internal sealed record CallFailed(CallId Handle, GimletErrorKind Kind, string Message, string? Hint) : CallEvent(Handle)
{
    /// <summary>The peer has been found and did not refuse: the relay is not affected.</summary>
    public bool LeavesRelay { get; init; }

    /// <summary>Why no punch was made where the relay is not affected; null also where this side wanted no path of this call, which says nothing of the peer.</summary>
    public RelayCause? Skipped { get; init; }

    /// <summary>Since the dial, or since the call came in.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Why, typed and with the evidence; null where no punch was made.</summary>
    public RelayVerdict? Verdict { get; init; }

    /// <summary>What became of each address of the peer.</summary>
    public IReadOnlyList<CandidateCheck> Checks { get; init; } = [];

    /// <summary>What the two NATs do, as far as it is known; the same two will fail again.</summary>
    public (string? Own, string? Peer) Nats { get; init; }
}

/// <summary>A connection has ended.</summary>
internal sealed record CallClosed(CallId Handle, CallEnd End) : CallEvent(Handle);

/// <summary>A path as users see it.</summary>
/// <param name="Remote">The peer's address.</param>
/// <param name="Local">The local address that its datagrams come to; empty until one has come.</param>
/// <param name="Kind">What the remote address is.</param>
/// <param name="RoundTripTime">The last round trip; zero until there was one.</param>
internal readonly record struct PathInfo(TransportAddress Remote, TransportAddress Local, CandidateKind Kind, TimeSpan RoundTripTime)
{
    public static PathInfo Of(CandidatePair pair) => new(pair.Remote.Address, pair.Local, pair.Remote.Kind, pair.RoundTripTime);
}
