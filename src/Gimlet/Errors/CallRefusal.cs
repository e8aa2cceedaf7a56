using Gimlet.Access;
using Gimlet.Signalling;

namespace Gimlet.Errors;

/// <summary>What a <c>reject</c> means for the dial that it answers: the one table from the reasons of docs/protocol.md section 2 to kinds of errors.</summary>
/// <param name="Kind">The kind; null where the dial does not fail by it (<see cref="RejectReason.Glare"/>, <see cref="RejectReason.NoCall"/>).</param>
/// <param name="Cause">What the reason means where only a direct path was looked for and the relayed connection goes on.</param>
/// <param name="Message">What happened, with the words of whoever refused.</param>
/// <param name="Hint">What would help; null for the usual advice of the kind.</param>
internal readonly record struct CallRefusal(GimletErrorKind? Kind, RelayCause Cause, string Message, string? Hint)
{
    /// <summary>Explains a <c>reject</c>.</summary>
    /// <param name="reason">Its reason, of any content.</param>
    /// <param name="detail">Its detail, of any content.</param>
    /// <param name="peer">Who was called.</param>
    public static CallRefusal Of(string? reason, string? detail, PeerId peer)
    {
        string why = PlainText.Of(reason, "no reason given");
        string words = string.IsNullOrWhiteSpace(detail) ? why : $"{why}: {PlainText.Of(detail, "no detail")}";
        return reason switch
        {
            RejectReason.Offline => new(GimletErrorKind.PeerOffline, RelayCause.NotIntroduced, $"{peer} is not registered with the server.", null),
            RejectReason.Refused => new(GimletErrorKind.Refused, RelayCause.NotIntroduced, $"{peer} refused the call ({words}).", AccessDecision.HintFor(detail)),
            RejectReason.TimedOut => new(GimletErrorKind.TimedOut, RelayCause.NotIntroduced, $"{peer} did not answer the call in time.", null),
            RejectReason.Unsupported => new(
                GimletErrorKind.Unsupported,
                RelayCause.PeerUnsupported,
                $"{peer} cannot take this call ({words}).",
                "Both sides must speak the same application protocol, and where no server relays, take part in direct paths (no --no-holepunch)."),
            RejectReason.Busy => Rejected(RelayCause.RateLimited, words, "The other side has as many calls as it takes; try again in a moment."),
            RejectReason.RateLimited => Rejected(RelayCause.RateLimited, words, "Too many calls in a short time; try again in a moment."),
            RejectReason.Self => Rejected(RelayCause.NotIntroduced, words, "A node does not call itself: give the id or ticket of another one."),
            RejectReason.BadRequest => Rejected(RelayCause.NotIntroduced, words, "Try again; if it happens again, update both sides and the server."),
            RejectReason.Glare => new(null, RelayCause.StillTrying, $"{peer} is calling this node at the same time, and its call goes on.", null),
            RejectReason.NoCall => new(null, RelayCause.StillTrying, $"{peer} has not admitted this node's relayed datagrams yet.", null),

            // A reason of a later version: the words tell what this version cannot.
            _ => Rejected(RelayCause.NotIntroduced, words, null),
        };
    }

    private static CallRefusal Rejected(RelayCause cause, string words, string? hint) =>
        new(GimletErrorKind.RendezvousRejected, cause, $"The call was rejected ({words}).", hint);
}
