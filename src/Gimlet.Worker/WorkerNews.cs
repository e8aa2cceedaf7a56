using Gimlet.Stun.Client;

namespace Gimlet.Worker;

/// <summary>What happens to a worker, beside the peers that come and go.</summary>
public abstract record WorkerNews
{
    private protected WorkerNews()
    {
    }
}

/// <summary>The rendezvous knows this worker.</summary>
/// <param name="WorkerId">Under this name.</param>
/// <param name="Rendezvous">Which rendezvous.</param>
/// <param name="PeerId">The id that it has proven; null where it has not, or the rendezvous does not know proofs.</param>
public sealed record WorkerRegistered(string WorkerId, Uri Rendezvous, PeerId? PeerId) : WorkerNews;

/// <summary>The address at which others can reach this worker has become known, or another one.</summary>
/// <param name="Address">The address and how it became known.</param>
public sealed record WorkerEndpoint(PublicAddress Address) : WorkerNews;

/// <summary>A STUN server told nothing; the worker goes on with what it has.</summary>
/// <param name="Server">Which, as <c>host:port</c>.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Detail">In words.</param>
public sealed record WorkerStunFailed(string Server, StunOutcome Outcome, string Detail) : WorkerNews;

/// <summary>The rendezvous offers another worker, to whom this one now connects.</summary>
/// <param name="PeerWorkerId">Its name.</param>
/// <param name="PeerId">Its proven peer id; null where only its address is known.</param>
public sealed record WorkerOffered(string PeerWorkerId, PeerId? PeerId) : WorkerNews;

/// <summary>The rendezvous is gone, or refuses this worker. Connections with peers live on.</summary>
/// <param name="Reason">In words.</param>
/// <param name="RetryIn">When it is tried again.</param>
public sealed record RendezvousLost(string Reason, TimeSpan RetryIn) : WorkerNews;

/// <summary>Something went wrong, and the worker goes on.</summary>
/// <param name="Problem">What, and what would help.</param>
public sealed record WorkerTrouble(GimletException Problem) : WorkerNews;
