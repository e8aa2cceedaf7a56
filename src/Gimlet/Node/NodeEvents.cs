using Gimlet.Calls;
using Gimlet.Sockets;
using Gimlet.Stun.Discovery;

namespace Gimlet.Node;

/// <summary>News from the core for its host.</summary>
internal abstract record NodeEvent;

/// <summary>A server has named its STUN addresses; the host resolves them and calls <see cref="NodeCore.AddStunTargets"/>.</summary>
internal sealed record StunServersNamed(int Session, IReadOnlyList<string> Servers) : NodeEvent;

/// <summary>A server knows this node.</summary>
internal sealed record SessionRegistered(int Session, string? Observed) : NodeEvent;

/// <summary>A server named an error.</summary>
internal sealed record SessionError(int Session, string Code, string Detail) : NodeEvent;

/// <summary>The host should close the WebSocket of a session.</summary>
internal sealed record SessionGivenUp(int Session, string Reason) : NodeEvent;

/// <summary>Something on the signalling connection was ignored.</summary>
internal sealed record SignalIgnored(int Session, string Problem) : NodeEvent;

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

/// <summary>A call did not become a connection.</summary>
internal sealed record CallFailed(CallId Handle, GimletErrorKind Kind, string Message, string? Hint) : CallEvent(Handle);

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
