namespace Gimlet.Calls;

/// <summary>Which of two working pairs is the better path.</summary>
internal static class PathSelection
{
    // Field notes: the lowest RTT wins with 5 ms hysteresis, and IPv6 counts as 3 ms better: no NAT in between can forget it.
    private static readonly TimeSpan Hysteresis = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan IPv6Bonus = TimeSpan.FromMilliseconds(3);

    /// <summary>
    /// True when <paramref name="challenger"/> should replace <paramref name="current"/>: clearly faster, or as fast and inside the
    /// site. Never true both ways round, so two pairs cannot take turns.
    /// </summary>
    public static bool IsBetter(CandidatePair challenger, CandidatePair current)
    {
        TimeSpan difference = Score(current) - Score(challenger);
        return difference > Hysteresis
            || (difference >= -Hysteresis && challenger.IsLocalSite && !current.IsLocalSite);
    }

    private static TimeSpan Score(CandidatePair pair) =>
        pair.Remote.Address.IsIPv6 ? pair.RoundTripTime - IPv6Bonus : pair.RoundTripTime;
}
