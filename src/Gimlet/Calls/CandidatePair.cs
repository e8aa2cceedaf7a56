using Gimlet.Candidates;
using Gimlet.Sockets;

namespace Gimlet.Calls;

/// <summary>
/// A remote address and what checks have shown of it. The local side of a pair is the node's socket of that family: the system
/// chooses the interface, and <see cref="Local"/> says which one it was.
/// </summary>
internal sealed class CandidatePair(Candidate remote)
{
    /// <summary>The remote candidate.</summary>
    public Candidate Remote { get; } = remote;

    /// <summary>The local address that the last answer came to; empty before that.</summary>
    public TransportAddress Local { get; set; }

    /// <summary>
    /// Somebody vouched for the address: the server observed it, or the peer's own authenticated check came from it. Otherwise it
    /// gets three checks at most.
    /// </summary>
    public bool Vouched { get; set; } = !remote.Unverified;

    /// <summary>An authenticated check of the peer came from there.</summary>
    public bool IsHeard { get; set; }

    /// <summary>A check of ours was answered.</summary>
    public bool Valid { get; set; }

    /// <summary>When a check of ours was answered for the first time.</summary>
    public TimeSpan? AnsweredAt { get; set; }

    /// <summary>The round-trip time of the last answered check; zero before that.</summary>
    public TimeSpan RoundTripTime { get; set; }

    /// <summary>Checks sent since the list was started or restarted.</summary>
    public int ChecksSent { get; set; }

    /// <summary>When the last check went out.</summary>
    public TimeSpan LastCheck { get; set; }

    /// <summary>When the next check is due; <see cref="TimeSpan.MaxValue"/> when none is.</summary>
    public TimeSpan NextCheck { get; set; }

    /// <summary>The pause after the next check; doubles.</summary>
    public TimeSpan Interval { get; set; }

    /// <summary>The peer's check came in on this pair and ours goes back before all others (RFC 8445 section 7.3.1.4).</summary>
    public bool Triggered { get; set; }

    /// <summary>The list made room for others; answers to its checks do not count any more.</summary>
    public bool Forgotten { get; set; }

    /// <summary>The pair lies within one site: its remote address is private, link-local or loopback.</summary>
    public bool IsLocalSite => Remote.Address.IsPrivate || Remote.Address.IsLinkLocal || Remote.Address.IsLoopback;
}
