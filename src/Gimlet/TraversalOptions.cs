namespace Gimlet;

/// <summary>Every timer and bound of the traversal, each with its reason. The defaults are meant to be right; tests shorten them.</summary>
public sealed record TraversalOptions
{
    /// <summary>How long STUN servers may take to answer. 3 s: what the fastest tools of the field give up at (RFC 8489's 39.5 s is far too slow for a user).</summary>
    public TimeSpan ReflexTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a start waits for a reflexive address before it goes on without; later candidates trickle. 1 s: a satellite link answers in 0.7 s.</summary>
    public TimeSpan StartGatherTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long cloud metadata may take. 300 ms: it answers in single milliseconds where it exists.</summary>
    public TimeSpan MetadataTimeout { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long the classification of the NAT may take. 5 s: three tests with retransmissions, none of which a call waits for.</summary>
    public TimeSpan ClassificationDeadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the server may take to introduce a peer. 10 s: an <c>on-accept</c> callee may ask its application first.</summary>
    public TimeSpan IntroductionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long checks go on before the punch has failed. 5 s: 97.6 % of the punches that ever succeed do so at the first attempt (arXiv 2510.27500).</summary>
    public TimeSpan PunchDeadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The pause between two checks of a call (RFC 8445 calls it Ta). 5 ms: the least that RFC 8445 section 14.2 allows.</summary>
    public TimeSpan CheckPacing { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>When an unanswered check is sent again for the first time; doubles. 50 ms: over a 40 ms path an answer would be there.</summary>
    public TimeSpan CheckRetransmission { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause between two checks of a pair. 500 ms: ten tries within the deadline even at 10 % loss each way.</summary>
    public TimeSpan MaxCheckRetransmission { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long other pairs are still tried once one works, so that a better one may win. 300 ms: seven round trips of 40 ms.</summary>
    public TimeSpan SettleTime { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How often the chosen path is checked. 3 s, as the field's shortest: every NAT keeps a mapping that long, and a dead path shows soon.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The pause between checks once one on the chosen path went unanswered. 300 ms: some ten tries before the path is given up.</summary>
    public TimeSpan SuspectProbeInterval { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long the chosen path may stay silent after the first unanswered check. 3 s, so that a loss is reported within 6 s.</summary>
    public TimeSpan PathLossTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The shortest time after which an idle node refreshes its mapping. 20 s: the shortest mapping lifetime measured in the wild is 30 s (IMC 2010).</summary>
    public TimeSpan MappingRefreshMin { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The longest time after which an idle node refreshes its mapping; drawn anew each time so that nodes do not march in step.</summary>
    public TimeSpan MappingRefreshMax { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>How many round trips the test of a serverless connection makes.</summary>
    public int ServerlessAttempts { get; init; } = 5;

    /// <summary>The pause between serverless hellos, and between the round trips of the test. 400 ms: two people start seconds apart, haste gains nothing.</summary>
    public TimeSpan ServerlessInterval { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>How long a serverless connect waits for the other person. 10 s.</summary>
    public TimeSpan ServerlessTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Checks to an address nobody vouched for. 3: too few to be a flood, enough to survive a loss.</summary>
    public int UnverifiedCheckLimit { get; init; } = 3;

    /// <summary>The pause between checks to an address nobody vouched for. 500 ms: never a burst.</summary>
    public TimeSpan UnverifiedCheckInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Checks that one attempt to punch may send. 600: 40 pairs for the whole deadline.</summary>
    public int ChecksPerPunch { get; init; } = 600;

    /// <summary>Checks that the whole node may send per second, to everybody. 1,000 of 180 bytes are 1.5 Mbit/s.</summary>
    public int NodeChecksPerSecond { get; init; } = 1000;

    /// <summary>Pairs of one call; further candidates are ignored. 64: what the server forwards at most.</summary>
    public int MaxPairs { get; init; } = 64;

    /// <summary>Calls that peers may have open with this node at once; further ones are rejected as busy.</summary>
    public int MaxIncomingCalls { get; init; } = 1024;

    /// <summary>Interfaces whose addresses become candidates. 32 addresses per family keep a registration under its size limit.</summary>
    public int MaxHostCandidates { get; init; } = 32;

    /// <summary>Checks the values against each other.</summary>
    /// <exception cref="GimletException">A value is out of its range; the message names it.</exception>
    public void Validate()
    {
        Positive(ReflexTimeout, nameof(ReflexTimeout));
        Positive(StartGatherTimeout, nameof(StartGatherTimeout));
        Positive(MetadataTimeout, nameof(MetadataTimeout));
        Positive(ClassificationDeadline, nameof(ClassificationDeadline));
        Positive(IntroductionTimeout, nameof(IntroductionTimeout));
        Positive(PunchDeadline, nameof(PunchDeadline));
        Positive(CheckPacing, nameof(CheckPacing));
        Positive(CheckRetransmission, nameof(CheckRetransmission));
        Positive(SettleTime, nameof(SettleTime));
        Positive(KeepAliveInterval, nameof(KeepAliveInterval));
        Positive(SuspectProbeInterval, nameof(SuspectProbeInterval));
        Positive(PathLossTimeout, nameof(PathLossTimeout));
        Positive(ServerlessInterval, nameof(ServerlessInterval));
        Positive(ServerlessTimeout, nameof(ServerlessTimeout));
        Positive(UnverifiedCheckInterval, nameof(UnverifiedCheckInterval));
        Positive(MappingRefreshMin, nameof(MappingRefreshMin));
        AtLeast(MaxCheckRetransmission >= CheckRetransmission, nameof(MaxCheckRetransmission), MaxCheckRetransmission, nameof(CheckRetransmission));
        AtLeast(MappingRefreshMax >= MappingRefreshMin, nameof(MappingRefreshMax), MappingRefreshMax, nameof(MappingRefreshMin));
        Positive(ServerlessAttempts, nameof(ServerlessAttempts));
        Positive(UnverifiedCheckLimit, nameof(UnverifiedCheckLimit));
        Positive(ChecksPerPunch, nameof(ChecksPerPunch));
        Positive(NodeChecksPerSecond, nameof(NodeChecksPerSecond));
        Positive(MaxPairs, nameof(MaxPairs));
        Positive(MaxIncomingCalls, nameof(MaxIncomingCalls));
        Positive(MaxHostCandidates, nameof(MaxHostCandidates));
    }

    private static void Positive(TimeSpan value, string name)
    {
        if (value <= TimeSpan.Zero)
        {
            throw new GimletException(GimletErrorKind.BadUsage, $"TraversalOptions.{name} is {value}; it must be longer than zero.");
        }
    }

    private static void Positive(int value, string name)
    {
        if (value <= 0)
        {
            throw new GimletException(GimletErrorKind.BadUsage, $"TraversalOptions.{name} is {value}; it must be at least 1.");
        }
    }

    private static void AtLeast(bool holds, string name, TimeSpan value, string other)
    {
        if (!holds)
        {
            throw new GimletException(GimletErrorKind.BadUsage, $"TraversalOptions.{name} is {value}; it must not be shorter than {other}.");
        }
    }
}
