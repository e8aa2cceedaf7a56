namespace Gimlet.Quic.Recovery;

/// <summary>
/// The congestion window of a path: CUBIC (RFC 9438) with HyStart++ (RFC 9406) in slow start and the rules of RFC 9002 section 7. Windows are
/// bytes; where the standard has segments, they are divided by the datagram size. It knows nothing of packets, only of acknowledged bytes and of
/// congestion events.
/// </summary>
internal sealed class CubicWindow
{
    /// <summary>RFC 9438 section 4.6: the window shrinks to 0.7 of itself.</summary>
    public const double Beta = 0.7;

    /// <summary>RFC 9438 section 5: C, in segments per second cubed.</summary>
    public const double C = 0.4;

    private readonly RecoverySettings _settings;
    private readonly HyStart _hyStart = new();
    private int _datagramSize;
    private State _state;
    private State _beforeEvent;
    private TimeSpan? _recoveryStart;
    private bool _isUndoable;

    public CubicWindow(RecoverySettings settings, int datagramSize)
    {
        _settings = settings;
        _datagramSize = datagramSize;
        Reset();
    }

    /// <summary>The congestion window in bytes.</summary>
    public long Window => (long)_state.Window;

    /// <summary>ssthresh in bytes; <see cref="long.MaxValue"/> before the first congestion event.</summary>
    public long SlowStartThreshold => _state.Threshold >= long.MaxValue ? long.MaxValue : (long)_state.Threshold;

    public bool IsInSlowStart => _state.Window < _state.Threshold;

    /// <summary>Numbers congestion events, so that lost packets can be told which one they belong to.</summary>
    public int EventNumber { get; private set; }

    /// <summary>RFC 9002 section 7.2: a new size of datagrams changes the minimum and, while nothing happened yet, the initial window.</summary>
    public int DatagramSize
    {
        get => _datagramSize;
        set
        {
            bool isUntouched = _state.Window == InitialWindow() && _state.Threshold == double.MaxValue;
            _datagramSize = value;
            _state.Window = isUntouched ? InitialWindow() : Math.Max(_state.Window, MinimumWindow());
        }
    }

    /// <summary>Whether a packet of that time was sent before the last reduction: it neither grows nor shrinks the window.</summary>
    public bool IsInRecovery(TimeSpan sentAt) => _recoveryStart is { } start && sentAt <= start;

    /// <summary>Bytes in flight were acknowledged; packets from before a recovery period are not among them.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="bytes">How many.</param>
    /// <param name="largestSentAt">When the last of them was sent: ends the rounds of HyStart++.</param>
    /// <param name="rtt">The smoothed RTT.</param>
    /// <param name="isUtilised">Whether the window was what held sending back (RFC 9002 section 7.8).</param>
    public void OnAcknowledged(TimeSpan now, long bytes, TimeSpan largestSentAt, TimeSpan rtt, bool isUtilised)
    {
        if (IsInSlowStart)
        {
            GrowInSlowStart(now, bytes, largestSentAt, isUtilised);
        }
        else if (!isUtilised)
        {
            // RFC 9438 section 5.8: the time in which the window does not grow because the application has nothing does not count for the curve.
            _state.PausedAt ??= now;
        }
        else
        {
            GrowOnCurve(now, bytes, rtt);
        }

        _state.Window = Math.Min(_state.Window, _settings.MaximumWindow);
    }

    /// <summary>An RTT sample, for HyStart++.</summary>
    public void OnRttSample(TimeSpan rtt)
    {
        if (IsInSlowStart)
        {
            _hyStart.OnRttSample(rtt);
        }
    }

    /// <summary>A packet was lost or marked (RFC 9002 appendix B.6). One reduction per round trip.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="sentAt">When that packet was sent.</param>
    /// <param name="isUndoable">Whether it may turn out to be a mistake: not for a mark.</param>
    /// <returns>Whether this began a recovery period.</returns>
    public bool OnCongestionEvent(TimeSpan now, TimeSpan sentAt, bool isUndoable)
    {
        if (IsInRecovery(sentAt))
        {
            // The mark says that there is congestion, whatever becomes of the losses that began this period.
            _isUndoable &= isUndoable;
            return false;
        }

        _beforeEvent = _state;
        EventNumber++;
        _isUndoable = isUndoable;
        _recoveryStart = now;
        _state.WindowBefore = _state.Window;

        // RFC 9438 section 4.7: fast convergence: whoever shrinks below where it was the last time leaves room for others.
        _state.Maximum = _state.Window < _state.Maximum ? _state.Window * (1 + Beta) / 2 : _state.Window;
        _state.Window = Math.Max(_state.Window * Beta, MinimumWindow());
        _state.Threshold = _state.Window;
        _state.EpochAt = null;
        _state.PausedAt = null;
        return true;
    }

    /// <summary>
    /// All losses of the last congestion event were spurious: the window is as if it had not been (RFC 9438 section 4.9.2).
    /// </summary>
    /// <returns>False where something else than those losses showed congestion.</returns>
    public bool TryUndo()
    {
        if (!_isUndoable)
        {
            return false;
        }

        _isUndoable = false;
        _recoveryStart = null;

        // Only where the window is not larger already: growing since is kept.
        if (_state.Window < _beforeEvent.Window)
        {
            _state = _beforeEvent;
        }

        return true;
    }

    /// <summary>RFC 9002 section 7.6.2: the window is the minimum, and slow start begins up to the threshold.</summary>
    public void OnPersistentCongestion()
    {
        _recoveryStart = null;
        _isUndoable = false;
        _state.Window = MinimumWindow();
        _state.EpochAt = null;
        _state.PausedAt = null;
    }

    /// <summary>Begins anew, as for a path that was never used.</summary>
    public void Reset()
    {
        _recoveryStart = null;
        _isUndoable = false;
        EventNumber++;
        _hyStart.Reset();
        _state = new State { Window = InitialWindow(), Threshold = double.MaxValue };
        _beforeEvent = _state;
    }

    private long MinimumWindow() => (long)_settings.MinimumWindowPackets * _datagramSize;

    // RFC 9002 section 7.2: ten packets, but not more than the larger of 14,720 bytes and two packets.
    private long InitialWindow()
        => Math.Min((long)_settings.InitialWindowPackets * _datagramSize, Math.Max(_settings.InitialWindowBytes, 2L * _datagramSize));

    private void GrowInSlowStart(TimeSpan now, long bytes, TimeSpan largestSentAt, bool isUtilised)
    {
        // RFC 9406 section 4: HyStart++ is for the initial slow start only; afterwards a threshold is known.
        bool isInitial = _state.Threshold == double.MaxValue;
        if (isInitial && _hyStart.OnAcknowledged(now, largestSentAt))
        {
            // RFC 9438 section 4.10: the curve begins at its flat point, here.
            _state.Threshold = _state.Window;
            _state.Maximum = _state.Window;
            _state.WindowBefore = _state.Window;
            return;
        }

        if (isUtilised)
        {
            _state.Window += isInitial ? bytes / (double)_hyStart.GrowthDivisor : bytes;
            if (!isInitial)
            {
                _state.Window = Math.Min(_state.Window, Math.Max(_state.Threshold, MinimumWindow()));
            }
        }
    }

    private void GrowOnCurve(TimeSpan now, long bytes, TimeSpan rtt)
    {
        if (_state.EpochAt is not { } epoch)
        {
            BeginEpoch(now);
            epoch = now;
        }
        else if (_state.PausedAt is { } pausedAt)
        {
            epoch += now - pausedAt;
            _state.EpochAt = epoch;
        }

        _state.PausedAt = null;
        double time = (now - epoch).TotalSeconds;
        double window = _state.Window;

        // RFC 9438 section 4.3: what Reno would have; from the window before the reduction on with Reno's own growth.
        double alpha = _state.RenoWindow >= _state.WindowBefore ? 1 : _settings.RenoFriendlyIncrease;
        _state.RenoWindow += alpha * bytes * _datagramSize / window;
        if (Curve(time) < _state.RenoWindow)
        {
            _state.Window = Math.Max(window, _state.RenoWindow);
            return;
        }

        // RFC 9438 section 4.2: the target is where the curve is in one RTT, between the window and 1.5 times the window; sections 4.4 and 4.5:
        // each segment grows the window by (target - cwnd) / cwnd.
        double target = Math.Clamp(Curve(time + rtt.TotalSeconds), window, 1.5 * window);
        _state.Window = Math.Min(target, window + ((target - window) * bytes / window));
    }

    private void BeginEpoch(TimeSpan now)
    {
        _state.EpochAt = now;
        _state.RenoWindow = _state.Window;
        if (_state.Maximum <= _state.Window)
        {
            _state.Maximum = _state.Window;
            _state.K = 0;
            return;
        }

        // RFC 9438 section 4.2: K = cubic root of ((W_max - cwnd_epoch) / C), in segments and seconds.
        _state.K = Math.Cbrt((_state.Maximum - _state.Window) / _datagramSize / C);
    }

    // RFC 9438 section 4.2: W_cubic(t) = C * (t - K)^3 + W_max.
    private double Curve(double time)
    {
        double fromFlat = time - _state.K;
        return (C * fromFlat * fromFlat * fromFlat * _datagramSize) + _state.Maximum;
    }

    /// <summary>What an undo brings back (RFC 9438 section 4.9).</summary>
    private struct State
    {
        /// <summary>cwnd.</summary>
        public double Window;

        /// <summary>ssthresh.</summary>
        public double Threshold;

        /// <summary>W_max.</summary>
        public double Maximum;

        /// <summary>cwnd_prior.</summary>
        public double WindowBefore;

        /// <summary>W_est.</summary>
        public double RenoWindow;

        /// <summary>K, in seconds.</summary>
        public double K;

        /// <summary>t_epoch; null until the first growth in congestion avoidance.</summary>
        public TimeSpan? EpochAt;

        /// <summary>Since when the window does not grow for lack of data.</summary>
        public TimeSpan? PausedAt;
    }
}
