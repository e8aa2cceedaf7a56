namespace Gimlet.Quic.Recovery;

/// <summary>
/// Looks for persistent congestion (RFC 9002 section 7.6) in the packets of one space on one path, which it is shown in the order they were sent:
/// two lost packets, with nothing between them that arrived, further apart than the duration.
/// </summary>
internal struct PersistentCongestion
{
    private TimeSpan? _since;
    private long _sinceSequence;
    private long _arrived;

    /// <summary>A packet arrived: whatever lies on both sides of it is no longer one period.</summary>
    public void OnArrived(long sequence) => _arrived = Math.Max(_arrived, sequence);

    /// <summary>An ack-eliciting packet was lost.</summary>
    /// <param name="sequence">Its place on the path.</param>
    /// <param name="sentAt">When it was sent.</param>
    /// <param name="firstSampleAt">RFC 9002 section 7.6.2: only packets sent after the first RTT sample count.</param>
    /// <param name="duration">How far apart two such packets must be.</param>
    /// <returns>Whether there is persistent congestion; told once per period.</returns>
    public bool OnLost(long sequence, TimeSpan sentAt, TimeSpan? firstSampleAt, TimeSpan duration)
    {
        if (firstSampleAt is not { } first || sentAt <= first)
        {
            return false;
        }

        if (_since is not { } since || _arrived > _sinceSequence)
        {
            _since = sentAt;
            _sinceSequence = sequence;
            return false;
        }

        if (sentAt - since <= duration)
        {
            return false;
        }

        _since = null;
        return true;
    }

    /// <summary>Begins anew.</summary>
    public void Reset() => _since = null;
}
