namespace Gimlet.Quic.Recovery;

/// <summary>
/// The two thresholds of loss on a path (RFC 9002 section 6.1). Packets that were lost only by our judgement widen them; a number of congestion
/// events without such makes them narrow again.
/// </summary>
internal sealed class ReorderingTolerance
{
    private readonly RecoverySettings _settings;
    private int _eventsLeft;
    private int _widenedAt;

    public ReorderingTolerance(RecoverySettings settings)
    {
        _settings = settings;
        Reset();
    }

    /// <summary>kPacketThreshold.</summary>
    public int Packets { get; private set; }

    /// <summary>kTimeThreshold, in round trips.</summary>
    public double Time { get; private set; }

    /// <summary>
    /// How old a packet must be (RFC 9002 section 6.1.2): max(kTimeThreshold * max(smoothed_rtt, latest_rtt), kGranularity).
    /// </summary>
    public TimeSpan LossDelay(RttEstimator rtt)
    {
        long ticks = (long)(Time * Math.Max(rtt.Smoothed.Ticks, rtt.Latest.Ticks));
        return TimeSpan.FromTicks(Math.Max(ticks, _settings.Granularity.Ticks));
    }

    /// <summary>A packet that counted as lost arrived.</summary>
    /// <param name="distance">How many packets sent later on the path had arrived before, at most.</param>
    /// <param name="byTime">Whether its age made it lost, not their number.</param>
    /// <param name="eventNumber">The congestion event it belonged to.</param>
    public void OnSpuriousLoss(long distance, bool byTime, int eventNumber)
    {
        _eventsLeft = _settings.ThresholdPersistence;
        if (!byTime)
        {
            Packets = (int)Math.Clamp(distance + 1, Packets, Math.Max(Packets, _settings.MaxPacketThreshold));
        }
        else if (eventNumber != _widenedAt)
        {
            // As RFC 8985 section 6.2 widens its window: a step per event, not to whatever one packet took.
            _widenedAt = eventNumber;
            Time = Math.Min(Time + (_settings.TimeThreshold - 1), _settings.MaxTimeThreshold);
        }
    }

    /// <summary>There was a congestion event.</summary>
    public void OnCongestionEvent()
    {
        if (_eventsLeft > 0 && --_eventsLeft == 0)
        {
            Reset();
        }
    }

    public void Reset()
    {
        Packets = _settings.PacketThreshold;
        Time = _settings.TimeThreshold;
        _eventsLeft = 0;
        _widenedAt = -1;
    }
}
