using Gimlet.Server.Rendezvous;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gimlet.Server.Workers;

/// <summary>What a <see cref="WorkerRendezvous"/> is made of.</summary>
internal sealed record WorkerRendezvousOptions
{
    /// <summary>Which hosts this server answers for, and so which proofs count; null: none, no peer id can be proven.</summary>
    public IServedNames? Names { get; init; }

    /// <summary>Fills a buffer with a nonce's random bytes. Thread-safe.</summary>
    public required NonceSource Nonces { get; init; }

    public IWorkerPairing Pairing { get; init; } = WorkerPairing.NextWaiting;

    public WorkerLimits Limits { get; init; } = new();

    public ILogger Logger { get; init; } = NullLogger.Instance;
}
