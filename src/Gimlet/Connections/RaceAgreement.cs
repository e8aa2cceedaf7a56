namespace Gimlet.Connections;

/// <summary>
/// One side's part in the agreement on a race (docs/protocol.md section 7): both sides say what they found, the side that dialled says which of the two paths it is, and
/// either side may end its wait, and so the race, with what it knows. Of two that crossed, the relay stands. Sans-IO; not thread-safe.
/// </summary>
/// <param name="decides">This side dialled: it decides when both findings are known.</param>
internal sealed class RaceAgreement(bool decides)
{
    /// <summary>Both sides' policies allow the relay, as far as they are known.</summary>
    public bool AllowsRelay { get; set; } = true;

    /// <summary>Both sides' policies allow direct paths, as far as they are known.</summary>
    public bool AllowsDirect { get; set; } = true;

    /// <summary>What this side found; null before it is known.</summary>
    public RaceFinding? Own { get; private set; }

    /// <summary>What the peer found; null before it said so.</summary>
    public RaceFinding? Peer { get; private set; }

    /// <summary>What was agreed on; null before that. Direct may become the relay later, and nothing else changes.</summary>
    public PathKind? Winner { get; private set; }

    /// <summary>This side's finding is known, and goes to the peer.</summary>
    /// <returns>The decision that goes to the peer behind it; null where there is none to tell.</returns>
    public PathKind? FindOwn(RaceFinding own)
    {
        Own ??= own;
        return decides && Peer is not null ? Decide() : null;
    }

    /// <summary>The peer's finding has come; only its first one counts.</summary>
    /// <returns>The decision that goes to the peer; null where there is none to tell.</returns>
    public PathKind? HearFinding(RaceFinding peer)
    {
        Peer ??= peer;
        return decides && Own is not null ? Decide() : null;
    }

    /// <summary>The peer has had its time.</summary>
    /// <returns>The decision that goes to the peer; null where there is one already.</returns>
    public PathKind? EndWait() => Decide();

    /// <summary>The peer has decided, or has ended its wait.</summary>
    /// <returns>True where that is news.</returns>
    public bool HearDecision(PathKind winner)
    {
        // The one way only: a decision for the direct path does not undo one for the relay, which the peer has heard by now or will hear.
        bool isNews = winner == PathKind.Relay ? AllowsRelay && Winner != PathKind.Relay : AllowsDirect && Winner is null;
        Winner = isNews ? winner : Winner;
        return isNews;
    }

    private static bool MayWork(RaceOutcome outcome) => outcome is RaceOutcome.Works or RaceOutcome.NotTried;

    private PathKind? Decide()
    {
        if (Winner is not null || Own is not { } own)
        {
            return null;
        }

        bool isDirectAgreed = own.Winner == PathKind.Direct && Peer?.Winner == PathKind.Direct;
        bool mayRelay = AllowsRelay && MayWork(own.Relay) && (Peer is null || MayWork(Peer.Value.Relay));

        // A relay that nobody has tried is not what a silent peer is left for: the direct path carries the connection.
        bool isRelayUnknown = Peer is null && own.Relay != RaceOutcome.Works;
        bool isDirectAllThereIs = AllowsDirect && own.Direct == RaceOutcome.Works && (!mayRelay || isRelayUnknown);
        Winner = isDirectAgreed || isDirectAllThereIs || !AllowsRelay ? PathKind.Direct : PathKind.Relay;
        return Winner;
    }
}
