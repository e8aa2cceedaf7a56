using Gimlet.Access;

namespace Gimlet;

/// <summary>Who may connect to a node.</summary>
public sealed class PeerPolicy
{
    private readonly HashSet<PeerId>? _allowed;

    private PeerPolicy(HashSet<PeerId>? allowed, bool takesTickets)
    {
        _allowed = allowed;
        TakesTickets = takesTickets;
    }

    /// <summary>Everyone who knows the id. Callers get this node's addresses at once.</summary>
    public static PeerPolicy Everyone { get; } = new(null, takesTickets: false);

    /// <summary>Only who holds a ticket that this node has issued with a secret. Others are refused at the server and never learn this node's addresses.</summary>
    public static PeerPolicy TicketHolders { get; } = new([], takesTickets: true);

    /// <summary>True for <see cref="Everyone"/>.</summary>
    public bool IsEveryone => _allowed is null;

    /// <summary>True when a ticket's secret admits a peer that would be refused otherwise.</summary>
    public bool TakesTickets { get; }

    /// <summary>Only these peers. Others are refused at the server and never learn this node's addresses.</summary>
    /// <param name="peers">The ids.</param>
    public static PeerPolicy Only(IEnumerable<PeerId> peers) => new([.. peers], takesTickets: false);

    /// <summary>Whom this policy admits, and also who holds a ticket that this node has issued with a secret.</summary>
    public PeerPolicy OrTicketHolders() => IsEveryone || TakesTickets ? this : new PeerPolicy(_allowed, takesTickets: true);

    /// <summary>True when the peer may connect without a ticket.</summary>
    /// <param name="peer">Its id.</param>
    public bool Allows(PeerId peer) => _allowed is null || _allowed.Contains(peer);

    /// <summary>Decides on a call.</summary>
    /// <param name="peer">Who calls.</param>
    /// <param name="hasConnection">
    /// The call only looks for new paths of a connection that is open with this peer. Such a connection was admitted, or this node dialled it, so it may
    /// look for paths whatever the policy says of new ones. Never true for a dial.
    /// </param>
    /// <param name="ticket">What the book says of the call's proof; null where it carried none or none was looked at.</param>
    internal AccessDecision Decide(PeerId peer, bool hasConnection, TicketVerdict? ticket) => new(
        hasConnection || Allows(peer) ? AccessVerdict.Accepted
        : !TakesTickets ? AccessVerdict.NotListed
        : ticket switch
        {
            null => AccessVerdict.NoProof,
            TicketVerdict.Accepted => AccessVerdict.Accepted,
            TicketVerdict.Expired => AccessVerdict.ExpiredTicket,
            TicketVerdict.Used => AccessVerdict.UsedTicket,

            // Unknown, and whatever is added one day: what is not accepted by name is refused.
            _ => AccessVerdict.UnknownTicket,
        });
}
