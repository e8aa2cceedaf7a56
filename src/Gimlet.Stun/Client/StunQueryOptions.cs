namespace Gimlet.Stun.Client;

/// <summary>How a <see cref="StunQuery"/> asks. Each default says why it is what it is.</summary>
public sealed record StunQueryOptions
{
    /// <summary>
    /// The wait before the second send; each further wait doubles. 100 ms: RFC 8489 section 6.2.1 starts at 500 ms, which costs a person
    /// half a second for one lost packet. Most round trips are shorter than 100 ms, and a needless second request is 48 bytes.
    /// </summary>
    public TimeSpan InitialRetransmission { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// The most sends per server. 6: with the defaults the sends are at 0, 100, 300, 700 and 1500 ms, so the deadline comes first; the
    /// limit matters where the deadline is made longer.
    /// </summary>
    public int MaxSends { get; init; } = 6;

    /// <summary>
    /// When the query gives up on what has not answered, counted from its start. 3 s: five sends have been lost by then, which at
    /// 10 % loss both
    /// ways happens once in 4,000 queries; RFC 8489's 39.5 s is longer than a person waits.
    /// </summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How many sends in a row must fail on this machine before a server counts as unreachable. 2: one failure can be an ICMP error that
    /// belongs to another datagram or an interface that is just coming up; two are a fact, known after 100 ms instead of 3 s.
    /// </summary>
    public int SendFailuresForUnreachable { get; init; } = 2;

    /// <summary>
    /// True to ask for GIMLET-PROOF. False by default: it is Gimlet's own attribute, and only a Gimlet server answers it.
    /// </summary>
    public bool RequestProof { get; init; }

    /// <summary>True to add FINGERPRINT. False by default: servers do not need it, and it makes each packet 8 bytes longer.</summary>
    public bool AddFingerprint { get; init; }

    /// <summary>Checks that the values make sense together.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value does not; the message names it.</exception>
    public void Validate()
    {
#pragma warning disable MA0015 // the bad value is a property of the options, and its name is what helps
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(InitialRetransmission, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxSends, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxSends, 16);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(Deadline, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(SendFailuresForUnreachable, 1);
#pragma warning restore MA0015
    }
}
