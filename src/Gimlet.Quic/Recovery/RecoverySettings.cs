namespace Gimlet.Quic.Recovery;

/// <summary>The constants of recovery, each with its origin. Others than these defaults are for tests.</summary>
internal sealed record RecoverySettings
{
    /// <summary>What everybody uses.</summary>
    public static RecoverySettings Default { get; } = new();

    /// <summary>
    /// The RTT before the first sample. RFC 9002 section 6.2.2: 333 ms, so that a handshake's first PTO is at one second as in TCP.
    /// </summary>
    public TimeSpan InitialRtt { get; init; } = TimeSpan.FromMilliseconds(333);

    /// <summary>What timers can tell apart. RFC 9002 section 6.1.2 recommends 1 ms.</summary>
    public TimeSpan Granularity { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>So many later packets acknowledged make a packet lost. RFC 9002 section 6.1.1 recommends 3.</summary>
    public int PacketThreshold { get; init; } = 3;

    /// <summary>
    /// How far spurious losses may widen <see cref="PacketThreshold"/>. 128 packets are two batches of segmentation offload that overtake each
    /// other; it also bounds what an acknowledgement must look at again.
    /// </summary>
    public int MaxPacketThreshold { get; init; } = 128;

    /// <summary>So many round trips make a packet lost once a later one is acknowledged. RFC 9002 section 6.1.2 recommends 9/8.</summary>
    public double TimeThreshold { get; init; } = 9.0 / 8;

    /// <summary>
    /// How far spurious losses may widen <see cref="TimeThreshold"/>. RFC 8985 section 6.2 lets the reordering window grow to one RTT.
    /// </summary>
    public double MaxTimeThreshold { get; init; } = 2;

    /// <summary>Congestion events without a spurious loss until the thresholds are narrow again. RFC 8985 section 6.2: 16 recoveries.</summary>
    public int ThresholdPersistence { get; init; } = 16;

    /// <summary>RFC 9002 section 7.2: ten packets.</summary>
    public int InitialWindowPackets { get; init; } = 10;

    /// <summary>RFC 9002 section 7.2: the initial window is not more than this, or two packets if those are larger.</summary>
    public int InitialWindowBytes { get; init; } = 14720;

    /// <summary>
    /// Segments by which the Reno-friendly window grows in a round trip until it is where it was before the reduction (RFC 9438 section 4.3). A deliberate
    /// deviation: the RFC recommends <see cref="StandardRenoFriendlyIncrease"/>, which has the throughput of Reno with its 0.5. quic-go grows
    /// by one beside the same factor of 0.7 and lets one packet more than its window fly, which RFC 9002 section 7 forbids and which this makes up for where
    /// windows are small: docs/decisions/005.
    /// </summary>
    public double RenoFriendlyIncrease { get; init; } = 1.25;

    /// <summary>RFC 9438 section 4.3: 3 * (1 - beta) / (1 + beta), for a beta of 0.7.</summary>
    public const double StandardRenoFriendlyIncrease = 3 * (1 - CubicWindow.Beta) / (1 + CubicWindow.Beta);

    /// <summary>RFC 9002 section 7.2: two packets.</summary>
    public int MinimumWindowPackets { get; init; } = 2;

    /// <summary>
    /// The window never grows beyond. 256 MiB are 10 Gbit/s over 200 ms; what is remembered of sent packets (some 100 bytes each) has its bound
    /// through this at 20 MB.
    /// </summary>
    public long MaximumWindow { get; init; } = 256L * 1024 * 1024;

    /// <summary>RFC 9002 section 7.6.1: 3 periods of PTO.</summary>
    public int PersistentCongestionThreshold { get; init; } = 3;

    /// <summary>
    /// PTO doubles at most so often: 2^10 times 1 s are 17 minutes, longer than any idle timeout that is reasonable; the shift cannot overflow.
    /// </summary>
    public int MaxPtoBackoff { get; init; } = 10;

    /// <summary>RFC 9002 section 7.7: the rate is a little above window per RTT, for example 1.25 times it.</summary>
    public double PacingGain { get; init; } = 1.25;

    /// <summary>In slow start the window doubles per RTT, so the rate must be twice window per RTT (as Linux does).</summary>
    public double SlowStartPacingGain { get; init; } = 2;

    /// <summary>A burst is at least so many datagrams: RFC 9002 section 7.7 allows an initial window at once.</summary>
    public int MinBurstPackets { get; init; } = 10;

    /// <summary>A burst is at most so many datagrams: four batches of 64, which is what quinn allows.</summary>
    public int MaxBurstPackets { get; init; } = 256;

    /// <summary>A burst is what the rate sends in this time: twice what the timers of a host can miss by. 2 ms as quinn.</summary>
    public TimeSpan BurstInterval { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>RFC 9000 section 13.4.2: the first ten packets are marked before ECN is validated.</summary>
    public int EcnTestPackets { get; init; } = 10;

    /// <summary>After so many PTOs in a row packets are no longer marked for the test: RFC 9000 section 13.4.2 has three PTOs.</summary>
    public int EcnTestPtoCount { get; init; } = 2;

    /// <summary>
    /// Lost packets that are remembered per path and space, in case they were only late. More than a loss in one window of 1 MB; 32 bytes each.
    /// </summary>
    public int MaxRememberedLosses { get; init; } = 1024;

    /// <summary>Packets without anything but ACK that are remembered per path and space. They are sent at most every other packet received.</summary>
    public int MaxRememberedAckOnly { get; init; } = 64;

    /// <summary>
    /// The first application packet number that is skipped lies within so many (RFC 9000 section 21.4: optimistic ACK); then the interval doubles up
    /// to <see cref="MaxSkipInterval"/>. The two figures are quic-go's.
    /// </summary>
    public int FirstSkipInterval { get; init; } = 256;

    /// <summary>See <see cref="FirstSkipInterval"/>.</summary>
    public int MaxSkipInterval { get; init; } = 128 * 1024;
}
