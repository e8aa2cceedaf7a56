namespace Gimlet.Access;

/// <summary>
/// Decides on incoming calls: the policy, and the tickets where the policy takes them. In two steps, because a proof may only be looked at behind the
/// signature of the call's key, and everybody else should be refused before that costs anything.
/// </summary>
/// <param name="policy">Who may connect.</param>
/// <param name="book">The tickets of this node.</param>
/// <param name="self">This node.</param>
internal sealed class Admission(PeerPolicy policy, TicketBook book, PeerId self)
{
    /// <summary>Decides where no proof is needed, at no cost.</summary>
    /// <param name="caller">Who calls, still unproven.</param>
    /// <param name="hasConnection">
    /// The call only looks for paths (it has no <c>protocol</c>) and a connection with this peer is open. Never true for a dial: a peer that this node has
    /// dialled may be nobody that may dial this node.
    /// </param>
    /// <param name="proof">What the call carried; null or empty for nothing.</param>
    /// <param name="decision">The decision, when the result is true.</param>
    /// <returns>False when <see cref="DecideOnProof"/> has to decide, once the caller's signature is verified.</returns>
    public bool TryDecideAtOnce(PeerId caller, bool hasConnection, ReadOnlySpan<byte> proof, out AccessDecision decision)
    {
        // A peer that needs no ticket does not use one up.
        decision = policy.Decide(caller, hasConnection, ticket: null);
        if (decision.IsAccepted || !policy.TakesTickets || proof.IsEmpty)
        {
            return true;
        }

        decision = default;
        return false;
    }

    /// <summary>Decides on a call with a proof. The caller's signature over the call's key was verified before.</summary>
    /// <param name="call">The call.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="ephemeralPoint">The caller's key of the call.</param>
    /// <param name="proof">What the call carried.</param>
    /// <param name="now">The time, by the clock that issued the tickets.</param>
    public AccessDecision DecideOnProof(CallId call, PeerId caller, ReadOnlySpan<byte> ephemeralPoint, ReadOnlySpan<byte> proof, DateTimeOffset now) =>
        policy.Decide(caller, hasConnection: false, book.TryRedeem(call, caller, self, ephemeralPoint, proof, now));
}
