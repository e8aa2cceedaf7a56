namespace Gimlet.Quic.Recovery;

/// <summary>
/// Spreads a window over the round trip (RFC 9002 section 7.7): a bucket of bytes that fills at the pacing rate and holds one burst. Timers of a
/// host miss by a millisecond or so, and segmentation offload takes 64 datagrams at once: hence bursts, and once the bucket is empty nothing goes
/// until half a burst is in it again, so that there is no timer per datagram.
/// </summary>
internal sealed class Pacer
{
    private readonly RecoverySettings _settings;
    private double _tokens;
    private double _rate;
    private double _burst;
    private TimeSpan _filledAt;
    private bool _isOn;

    public Pacer(RecoverySettings settings) => _settings = settings;

    /// <summary>When the bucket has enough again; null while it has.</summary>
    public TimeSpan? BlockedUntil { get; private set; }

    /// <summary>The rate of now.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="window">The congestion window in bytes.</param>
    /// <param name="isInSlowStart">Whether it doubles per RTT.</param>
    /// <param name="rtt">The path's RTT.</param>
    /// <param name="datagramSize">In bytes.</param>
    public void SetRate(TimeSpan now, long window, bool isInSlowStart, RttEstimator rtt, int datagramSize)
    {
        // Without a sample this is the initial window, which RFC 9002 section 7.7 allows at once. A window over less than a tick of the timers
        // cannot be spread by them: that is a loopback or a local network, and waiting for a timer would be slower than the path.
        if (!rtt.HasSample || rtt.Minimum < _settings.Granularity)
        {
            _isOn = false;
            BlockedUntil = null;
            return;
        }

        Fill(now);
        double gain = isInSlowStart ? _settings.SlowStartPacingGain : _settings.PacingGain;
        _rate = gain * window / rtt.Smoothed.TotalSeconds;
        _burst = Math.Clamp(
            _rate * _settings.BurstInterval.TotalSeconds,
            (double)_settings.MinBurstPackets * datagramSize,
            (double)_settings.MaxBurstPackets * datagramSize);
        if (!_isOn)
        {
            _isOn = true;
            _filledAt = now;
            _tokens = _burst;
        }

        _tokens = Math.Min(_tokens, _burst);
    }

    /// <summary>How many bytes may go now, at least one datagram or nothing.</summary>
    public long Allowance(TimeSpan now, int datagramSize)
    {
        if (!_isOn)
        {
            return long.MaxValue;
        }

        Fill(now);
        if (BlockedUntil is { } until && now < until)
        {
            return 0;
        }

        BlockedUntil = null;
        Block(datagramSize);
        return BlockedUntil is null ? (long)_tokens : 0;
    }

    /// <summary>Bytes went out, allowed or not: probes do not ask.</summary>
    public void OnSent(TimeSpan now, int bytes, int datagramSize)
    {
        if (_isOn)
        {
            Fill(now);
            _tokens = Math.Max(_tokens - bytes, -_burst);
            Block(datagramSize);
        }
    }

    /// <summary>Begins anew.</summary>
    public void Reset()
    {
        _isOn = false;
        BlockedUntil = null;
    }

    private void Block(int datagramSize)
    {
        if (_tokens < datagramSize)
        {
            BlockedUntil = _filledAt + TimeSpan.FromSeconds(((_burst / 2) - _tokens) / _rate) + TimeSpan.FromTicks(1);
        }
    }

    private void Fill(TimeSpan now)
    {
        if (_isOn && now > _filledAt)
        {
            _tokens = Math.Min(_tokens + ((now - _filledAt).TotalSeconds * _rate), _burst);
            _filledAt = now;
        }
    }
}
