namespace Gimlet.Quic.Recovery;

/// <summary>The round-trip time of a path (RFC 9002 section 5).</summary>
internal sealed class RttEstimator
{
    private readonly TimeSpan _initial;

    public RttEstimator(TimeSpan initialRtt)
    {
        _initial = initialRtt;
        Reset();
    }

    /// <summary>Whether there was a sample; until then the others are the assumption to begin with.</summary>
    public bool HasSample => FirstSampleAt is not null;

    /// <summary>When the first sample was taken; persistent congestion looks at packets sent later only.</summary>
    public TimeSpan? FirstSampleAt { get; private set; }

    /// <summary>The last sample, the peer's delay included.</summary>
    public TimeSpan Latest { get; private set; }

    /// <summary>smoothed_rtt.</summary>
    public TimeSpan Smoothed { get; private set; }

    /// <summary>rttvar: the mean deviation.</summary>
    public TimeSpan Variation { get; private set; }

    /// <summary>min_rtt: the least sample, without any correction.</summary>
    public TimeSpan Minimum { get; private set; }

    /// <summary>Takes a sample.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="latest">From sending the packet until its acknowledgement came.</param>
    /// <param name="ackDelay">What of it the peer waited, already limited to what it may wait.</param>
    public void Update(TimeSpan now, TimeSpan latest, TimeSpan ackDelay)
    {
        Latest = latest;
        if (FirstSampleAt is null)
        {
            // RFC 9002 section 5.3: "smoothed_rtt = latest_rtt" and "rttvar = latest_rtt / 2".
            FirstSampleAt = now;
            Minimum = latest;
            Smoothed = latest;
            Variation = latest / 2;
            return;
        }

        if (latest < Minimum)
        {
            Minimum = latest;
        }

        // RFC 9002 section 5.3: the delay is not subtracted where the result would be smaller than min_rtt.
        TimeSpan adjusted = latest >= Minimum + ackDelay ? latest - ackDelay : latest;
        TimeSpan deviation = (Smoothed - adjusted).Duration();
        Variation = new TimeSpan(((3 * Variation.Ticks) + deviation.Ticks) / 4);
        Smoothed = new TimeSpan(((7 * Smoothed.Ticks) + adjusted.Ticks) / 8);
    }

    /// <summary>RFC 9002 section 5.2: min_rtt begins anew after persistent congestion: the path may have changed.</summary>
    public void ForgetMinimum() => Minimum = Latest;

    /// <summary>Begins anew, as for a path that was never used.</summary>
    public void Reset()
    {
        FirstSampleAt = null;
        Latest = TimeSpan.Zero;
        Minimum = TimeSpan.Zero;
        Smoothed = _initial;
        Variation = _initial / 2;
    }
}
