namespace Gimlet.Quic.Recovery;

/// <summary>
/// HyStart++ (RFC 9406): slow start ends when the RTT grows, before packets are lost. A round ends when a packet is acknowledged that was sent in
/// it. L, the limit of growth per acknowledgement, is infinite: we pace (section 4.3).
/// </summary>
internal sealed class HyStart
{
    /// <summary>MIN_RTT_THRESH (RFC 9406 section 4.3).</summary>
    public static readonly TimeSpan MinThreshold = TimeSpan.FromMilliseconds(4);

    /// <summary>MAX_RTT_THRESH.</summary>
    public static readonly TimeSpan MaxThreshold = TimeSpan.FromMilliseconds(16);

    /// <summary>MIN_RTT_DIVISOR.</summary>
    public const int ThresholdDivisor = 8;

    /// <summary>N_RTT_SAMPLE.</summary>
    public const int Samples = 8;

    /// <summary>CSS_GROWTH_DIVISOR.</summary>
    public const int ConservativeDivisor = 4;

    /// <summary>CSS_ROUNDS.</summary>
    public const int ConservativeRounds = 5;

    private TimeSpan? _roundStart;
    private TimeSpan _lastMinimum;
    private TimeSpan _currentMinimum;
    private TimeSpan _baseline;
    private int _samples;
    private int _roundsLeft;

    /// <summary>Whether growth is slow because the RTT grew.</summary>
    public bool IsConservative { get; private set; }

    /// <summary>The window grows by the acknowledged bytes divided by this.</summary>
    public int GrowthDivisor => IsConservative ? ConservativeDivisor : 1;

    /// <summary>A sample of the round.</summary>
    public void OnRttSample(TimeSpan rtt)
    {
        _samples++;
        _currentMinimum = rtt < _currentMinimum ? rtt : _currentMinimum;
    }

    /// <summary>Packets were acknowledged.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="largestSentAt">When the last of them was sent.</param>
    /// <returns>True when slow start is over.</returns>
    public bool OnAcknowledged(TimeSpan now, TimeSpan largestSentAt)
    {
        if (_samples >= Samples && _currentMinimum != TimeSpan.MaxValue)
        {
            Judge();
        }

        if (_roundStart is { } start && largestSentAt < start)
        {
            return false;
        }

        bool isOver = _roundStart is not null && IsConservative && --_roundsLeft <= 0;
        _lastMinimum = _currentMinimum;
        _currentMinimum = TimeSpan.MaxValue;
        _samples = 0;
        _roundStart = now;
        return isOver;
    }

    public void Reset()
    {
        _roundStart = null;
        _lastMinimum = TimeSpan.MaxValue;
        _currentMinimum = TimeSpan.MaxValue;
        _samples = 0;
        IsConservative = false;
    }

    private void Judge()
    {
        if (IsConservative)
        {
            // RFC 9406 section 4.2: the RTT is below where it was when growth became slow: that was jitter.
            if (_currentMinimum < _baseline)
            {
                IsConservative = false;
            }

            return;
        }

        if (_lastMinimum == TimeSpan.MaxValue)
        {
            return;
        }

        var threshold = TimeSpan.FromTicks(Math.Clamp(_lastMinimum.Ticks / ThresholdDivisor, MinThreshold.Ticks, MaxThreshold.Ticks));
        if (_currentMinimum >= _lastMinimum + threshold)
        {
            IsConservative = true;
            _baseline = _currentMinimum;
            _roundsLeft = ConservativeRounds;
        }
    }
}
