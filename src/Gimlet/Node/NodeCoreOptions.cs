using Gimlet.Candidates;
using Gimlet.Signalling;

namespace Gimlet.Node;

/// <summary>What a core is told at its birth.</summary>
internal sealed record NodeCoreOptions
{
    public required NodeIdentity Identity { get; init; }

    public required TraversalOptions Traversal { get; init; }

    /// <summary>Fills a span with random bytes; a seeded source in simulations.</summary>
    public required Action<Span<byte>> Random { get; init; }

    /// <summary>How many servers the node registers with; their sessions have the indices 0 to this.</summary>
    public int Servers { get; init; }

    /// <summary>The access token of these servers; those that tickets name never get it.</summary>
    public string? Token { get; init; }

    /// <summary>Who may call.</summary>
    public PeerPolicy Policy { get; init; } = PeerPolicy.Everyone;

    /// <summary>Decides on calls; null for <see cref="Policy"/> alone.</summary>
    public Access.Admission? Admission { get; init; }

    /// <summary>The time of day, for tickets that expire.</summary>
    public Func<DateTimeOffset> UtcNow { get; init; } = static () => DateTimeOffset.UnixEpoch;

    /// <summary>Loopback addresses are candidates: everything runs on one machine.</summary>
    public bool AllowLoopback { get; init; }

    /// <summary>This node takes part in no checks: it registers, and its calls go by the relay.</summary>
    public bool NoHolepunch { get; init; }

    /// <summary>The name and version that the server logs.</summary>
    public string Agent { get; init; } = "gimlet";

    /// <summary>Registers so that callers are introduced only after this node said yes.</summary>
    public bool OnAccept { get; init; }

    /// <summary>How the node registers: <c>open</c> only where everyone may connect.</summary>
    public string AcceptMode => OnAccept || !Policy.IsEveryone ? Signalling.AcceptMode.OnAccept : Signalling.AcceptMode.Open;

    public string[] Capabilities => NoHolepunch ? [Capability.Relay] : [Capability.Direct, Capability.Relay];

    /// <summary>The application protocols that peers may dial.</summary>
    public IReadOnlyList<string> Protocols { get; init; } = [];
}
