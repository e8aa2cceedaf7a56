using Gimlet.Stun.Client;

namespace Gimlet.Stun.Discovery;

/// <summary>How a <see cref="NatClassifier"/> tests. Each default says why it is what it is.</summary>
public sealed record NatClassifierOptions
{
    /// <summary>
    /// When the classifier ends with what it knows, counted from its start. 5 s: the one round trip to learn of a second address, and
    /// 3 s for what then does not answer, with a second to spare; network reports of comparable tools end after 5 s too.
    /// </summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How each probe is repeated and when it is given up.</summary>
    public StunQueryOptions Probe { get; init; } = new();

    /// <summary>
    /// How long silence must last before it counts as filtered. 2 s: with five sends at 0, 100, 300, 700 and 1500 ms, a server half
    /// a second
    /// away that answers is heard even if only the last answer survives.
    /// </summary>
    public TimeSpan FilteringWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long to hope for a server with a second address after the first answer of one without. 200 ms: two continental round trips;
    /// filtering is then tested with what the first server can do.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>True to test filtering. It needs the second socket.</summary>
    public bool TestFiltering { get; init; } = true;

    /// <summary>True to test hairpinning. It needs the second socket.</summary>
    public bool TestHairpinning { get; init; } = true;

    /// <summary>
    /// How long a datagram may take through the NAT and back. 1 s: it crosses only the access network, and three sends of it are made.
    /// </summary>
    public TimeSpan HairpinWait { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Checks that the values make sense together.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value does not; the message names it.</exception>
    public void Validate()
    {
#pragma warning disable MA0015 // the bad value is a property of the options, and its name is what helps
        ArgumentNullException.ThrowIfNull(Probe);
        Probe.Validate();
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(Deadline, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(FilteringWait, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(Patience, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(HairpinWait, TimeSpan.Zero);
#pragma warning restore MA0015
    }
}
