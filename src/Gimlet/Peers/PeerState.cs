using Gimlet.Node;

namespace Gimlet.Peers;

/// <summary>What a node knows of one peer beyond its calls.</summary>
internal sealed class PeerState(PeerId id)
{
    public PeerId Id { get; } = id;

    /// <summary>The agents of calls that have been introduced, by handle.</summary>
    public Dictionary<CallId, PeerAgent> Agents { get; } = [];

    /// <summary>Dials of this node that are under way, and for which protocol.</summary>
    public Dictionary<CallId, string> Dials { get; } = [];

    /// <summary>Dials of the peer that were accepted and are not connections yet: protocol, and until when they are waited for.</summary>
    public List<ExpectedDial> Expected { get; } = [];

    /// <summary>Dials of the peer that are waited for no longer: a handshake that was begun in time may still end.</summary>
    public List<ExpectedDial> Late { get; } = [];

    /// <summary>Protocols of the peer's last dial that this side rejected with <c>glare</c>: what it had begun by then is not to become a connection.</summary>
    public HashSet<string> Glared { get; } = [];

    /// <summary>Connections, and how many of them may use a direct path.</summary>
    public int Connections { get; set; }

    public int DirectConnections { get; set; }

    /// <summary>The direct path that connections were told to use; null for the relay.</summary>
    public PeerAgent? Chosen { get; set; }

    /// <summary>Calls whose checks are under way.</summary>
    public HashSet<CallId> Punching { get; } = [];

    /// <summary>There was a direct path, and it died.</summary>
    public bool HasLostPath { get; set; }

    /// <summary>When the next attempt to open a direct path is due.</summary>
    public TimeSpan NextAttempt { get; set; } = TimeSpan.MaxValue;

    public TimeSpan? LastAttempt { get; set; }

    /// <summary>The pause after the next failed attempt.</summary>
    public TimeSpan Backoff { get; set; }

    /// <summary>A direct path on which QUIC fell silent although checks pass is not used again before this.</summary>
    public TimeSpan DirectNotBefore { get; set; }

    public TimeSpan? SilenceEndsAt { get; set; }

    public int Silences { get; set; }

    /// <summary>Both sides' NAT words when the last attempt failed: the same two fail again.</summary>
    public (string? Own, string? Peer) FailedNats { get; set; }

    /// <summary>What became of each address in the last attempt that failed.</summary>
    public IReadOnlyList<CandidateCheck> LastChecks { get; set; } = [];

    /// <summary>Why the last attempt failed; null where none did, or a path works.</summary>
    public RelayVerdict? LastVerdict { get; set; }

    /// <summary>When the peer was last of interest.</summary>
    public TimeSpan IdleSince { get; set; }

    /// <summary>Nothing needs it now.</summary>
    public bool IsIdle => Connections == 0 && Dials.Count == 0 && Expected.Count == 0;
}

/// <summary>A dial of the peer that was accepted.</summary>
/// <param name="Call">Its call.</param>
/// <param name="Protocol">For what.</param>
/// <param name="Until">Until when its connection is waited for.</param>
/// <param name="Session">The server that carried the call; -1 for none.</param>
internal readonly record struct ExpectedDial(CallId Call, string Protocol, TimeSpan Until, int Session)
{
    /// <summary>The peer wants a direct path for it, and says so: it named addresses.</summary>
    public bool LooksForPaths { get; init; }
}

/// <summary>The dial that a connection of the peer comes of.</summary>
/// <param name="Call">Its call; empty for a serverless one, of which each side knows its own handle only.</param>
/// <param name="Waited">Since it was admitted.</param>
internal readonly record struct AwaitedDial(CallId Call, TimeSpan Waited);

/// <summary>One call's agent as the table sees it.</summary>
internal sealed class PeerAgent(CallId handle, CallId call, TimeSpan startedAt)
{
    public CallId Handle { get; } = handle;

    public CallId Call { get; } = call;

    public TimeSpan StartedAt { get; } = startedAt;

    /// <summary>The path that works; null before there is one, and after it is lost.</summary>
    public PathInfo? Path { get; set; }

    /// <summary>The path does not answer at the moment.</summary>
    public bool IsSuspect { get; set; }

    public bool IsHealthy => Path is not null && !IsSuspect;

    /// <summary>Since when another agent does its work.</summary>
    public TimeSpan? RedundantSince { get; set; }
}
