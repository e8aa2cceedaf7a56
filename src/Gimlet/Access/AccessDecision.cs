using Gimlet.Signalling;

namespace Gimlet.Access;

/// <summary>What a policy says of a call. The default is a refusal: admission never fails open.</summary>
internal enum AccessVerdict
{
    /// <summary>Nothing was decided, which is a refusal.</summary>
    Undecided = 0,

    /// <summary>The call goes on.</summary>
    Accepted,

    /// <summary>The peer is not on the list, and a ticket would not change that.</summary>
    NotListed,

    /// <summary>Only a ticket would do, and the call carried no proof of one.</summary>
    NoProof,

    /// <summary>The proof is of no ticket of this node.</summary>
    UnknownTicket,

    /// <summary>The ticket's time is over.</summary>
    ExpiredTicket,

    /// <summary>The one-time ticket belongs to another peer by now.</summary>
    UsedTicket,
}

/// <summary>Whether a call goes on, and if not, the words for the <c>reject</c> (its reason is <c>refused</c>).</summary>
/// <param name="Verdict">The decision.</param>
internal readonly record struct AccessDecision(AccessVerdict Verdict)
{
    // What the callee says and what the caller looks for: constants, because the caller reads the advice from them.
    private const string NotListed = "this node does not accept calls from this peer";
    private const string NoProof = "this node admits only holders of its tickets, and the call carried no proof";
    private const string UnknownTicket = "the call's proof is of no ticket that this node has issued";
    private const string ExpiredTicket = "the ticket has expired";
    private const string UsedTicket = "the one-time ticket was used by another peer";
    private const string Undecided = "the call was not decided on";

    /// <summary>True when the call goes on.</summary>
    public bool IsAccepted => Verdict == AccessVerdict.Accepted;

    /// <summary>The reason of the <c>reject</c>; null where the call goes on.</summary>
    public string? Reason => IsAccepted ? null : RejectReason.Refused;

    /// <summary>The detail of the <c>reject</c>; null where the call goes on.</summary>
    public string? Detail => Verdict switch
    {
        AccessVerdict.Accepted => null,
        AccessVerdict.NotListed => NotListed,
        AccessVerdict.NoProof => NoProof,
        AccessVerdict.UnknownTicket => UnknownTicket,
        AccessVerdict.ExpiredTicket => ExpiredTicket,
        AccessVerdict.UsedTicket => UsedTicket,
        _ => Undecided,
    };

    /// <summary>What would help a caller that was refused with these words; null where they are not ours.</summary>
    /// <param name="detail">The detail of the <c>reject</c>.</param>
    public static string? HintFor(string? detail) => detail switch
    {
        NotListed => "The other side decides who may connect; ask it to allow this node's id.",
        NoProof => "Ask the other side for a ticket and connect with the ticket instead of the id.",
        UnknownTicket => "Ask the other side for a new ticket; tickets with a secret end when the node that made them ends, or revokes them.",
        ExpiredTicket => "Ask the other side for a new ticket.",
        UsedTicket => "Ask the other side for a ticket of your own; this one belongs to the first that used it.",
        _ => null,
    };
}
