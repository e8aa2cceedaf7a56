using Gimlet.Server.Access;
using Gimlet.Server.Observability;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gimlet.Server.Rendezvous;

/// <summary>What a <see cref="RendezvousCore"/> is made of.</summary>
internal sealed record RendezvousOptions
{
    /// <summary>Which hosts this server answers for.</summary>
    public required IServedNames Names { get; init; }

    /// <summary>Fills a buffer with the challenge's random bytes: the platform's generator, or a seeded one in a simulation. Thread-safe.</summary>
    public required NonceSource Nonces { get; init; }

    /// <summary>Who may register.</summary>
    public IAccessPolicy Access { get; init; } = EveryoneAccess.Instance;

    /// <summary>The STUN servers that nodes should ask, <c>host:port</c>; an empty host is the one that was dialled.</summary>
    public IReadOnlyList<string> Stun { get; init; } = [];

    /// <summary>Checks proofs of observed addresses; null where this server has no STUN.</summary>
    public IObservationVerifier? Observations { get; init; }

    /// <summary>Whether nodes' datagrams are relayed.</summary>
    public bool Relays { get; init; } = true;

    public RendezvousLimits Limits { get; init; } = new();

    public RendezvousTimers Timers { get; init; } = new();

    /// <summary>Passes loopback candidates on to everyone; for tests and demos on one machine.</summary>
    public bool AllowLoopback { get; init; }

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public ServerMetrics Metrics { get; init; } = ServerMetrics.Detached;
}

/// <summary>Fills a buffer with random bytes.</summary>
/// <param name="buffer">The buffer.</param>
internal delegate void NonceSource(Span<byte> buffer);
