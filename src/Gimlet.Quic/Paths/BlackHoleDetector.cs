namespace Gimlet.Quic.Paths;

/// <summary>
/// Tells a path that has ceased to carry large packets from one that is congested (RFC 8899 section 4.3): nothing larger than the base size has
/// arrived, and such packets were lost at several moments since. One burst of losses is congestion, and after it something large arrives.
/// </summary>
internal sealed class BlackHoleDetector
{
    /// <summary>
    /// How many moments of loss in a row; what quinn takes. With one packet in ten lost at random, a false alarm is one in a thousand.
    /// </summary>
    public const int MaxMoments = 3;

    private long _largestAcknowledged = -1;
    private int _moments;
    private TimeSpan _lastMoment;
    private TimeSpan? _lastFallBack;

    /// <summary>A packet larger than the base arrived: losses of those sent before do not count.</summary>
    public void OnAcknowledged(long packetNumber)
    {
        if (packetNumber > _largestAcknowledged)
        {
            _largestAcknowledged = packetNumber;
            _moments = 0;
        }
    }

    /// <summary>A packet larger than the base was lost.</summary>
    /// <returns>Whether the path is a black hole.</returns>
    public bool OnLost(TimeSpan now, long packetNumber)
    {
        if (packetNumber < _largestAcknowledged || (_moments > 0 && now == _lastMoment))
        {
            return false;
        }

        _lastMoment = now;
        return ++_moments >= MaxMoments;
    }

    /// <summary>The size went back to the base.</summary>
    /// <returns>Whether it did so not long ago, too.</returns>
    public bool OnFellBack(TimeSpan now)
    {
        bool isAgain = _lastFallBack is { } last && now - last < MtuDiscovery.RaiseInterval;
        _lastFallBack = now;
        _moments = 0;
        return isAgain;
    }

    /// <summary>The path's other end changed.</summary>
    public void Reset()
    {
        _moments = 0;
        _lastFallBack = null;
    }
}
