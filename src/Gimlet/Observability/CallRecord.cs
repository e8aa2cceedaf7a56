namespace Gimlet.Observability;

/// <summary>Who calls.</summary>
internal enum CallDirection
{
    /// <summary>This node. <c>outgoing</c></summary>
    Outgoing,

    /// <summary>The peer. <c>incoming</c></summary>
    Incoming,
}

/// <summary>
/// One call, for the statistics and for its span. Thread-safe; each event counts once, and only in an order that makes sense, so that whoever reports need
/// not know what was reported before.
/// </summary>
/// <remarks>
/// Order: <see cref="Introduced"/>, then either <see cref="PunchSkipped"/> or <see cref="PunchStarted"/> and one of <see cref="PunchSucceeded"/> and
/// <see cref="PunchFailed"/>; beside it <see cref="HandshakeStarted"/>, <see cref="HandshakeEnded"/> and <see cref="RelayWorks"/>; at last <see cref="End"/>.
/// </remarks>
internal sealed class CallRecord
{
    private readonly StatisticsCollector _statistics;
    private readonly CallSpan _span;
    private CallSpan _introduction;
    private CallSpan _punching;
    private CallSpan _handshake;
    private Punch _punch;
    private bool _introduced;
    private bool _handshaking;
    private bool _relayWorks;
    private bool _fellBack;
    private bool _hasFirstByte;
    private bool _hasDirect;
    private bool _ended;

    internal CallRecord(StatisticsCollector statistics, CallSpan span)
    {
        _statistics = statistics;
        _span = span;
        _introduction = span.StartChild(CallSpan.IntroductionName);
    }

    private enum Punch
    {
        None,
        Skipped,
        Started,
        Succeeded,
        Failed,
    }

    /// <summary>The two sides know of each other: <c>introduce</c> came, or <c>incoming</c> was accepted.</summary>
    public void Introduced()
    {
        lock (_statistics.Gate)
        {
            if (_introduced || _ended)
            {
                return;
            }

            _introduced = true;
        }

        _introduction.Stop();
    }

    /// <summary>No punch will be tried in this call.</summary>
    /// <param name="cause">Why.</param>
    public void PunchSkipped(RelayCause cause)
    {
        bool fallback;
        lock (_statistics.Gate)
        {
            if (_punch != Punch.None || _ended)
            {
                return;
            }

            _punch = Punch.Skipped;
            fallback = TakeFallback();
        }

        _span.AddEvent("gimlet.punch_skipped", cause);
        Count(fallback);
    }

    /// <summary>Checks begin. Counted as an attempt only where the introduction has happened.</summary>
    public void PunchStarted()
    {
        lock (_statistics.Gate)
        {
            if (!_introduced || _punch != Punch.None || _ended)
            {
                return;
            }

            _punch = Punch.Started;
            _statistics.Numbers.PunchesAttempted++;
        }

        _statistics.Tell(GimletMeter.PunchesAttempted);
        Begin(ref _punching, CallSpan.PunchName);
    }

    /// <summary>A pair works.</summary>
    public void PunchSucceeded()
    {
        lock (_statistics.Gate)
        {
            if (_punch != Punch.Started || _ended)
            {
                return;
            }

            _punch = Punch.Succeeded;
            _statistics.Numbers.PunchesSucceeded++;
        }

        _statistics.Tell(GimletMeter.PunchesSucceeded);
        _punching.Stop();
    }

    /// <summary>The checks have ended without a pair.</summary>
    /// <param name="cause">Why.</param>
    public void PunchFailed(RelayCause cause)
    {
        bool fallback;
        lock (_statistics.Gate)
        {
            if (_punch != Punch.Started || _ended)
            {
                return;
            }

            _punch = Punch.Failed;
            _statistics.Numbers.AddFailure(cause);
            fallback = TakeFallback();
        }

        _statistics.TellFailure(cause);
        _punching.Fail(cause);
        Count(fallback);
    }

    /// <summary>The relayed connection works now, or not any more; a call that looks for paths says at its beginning which it is.</summary>
    /// <param name="works">True while the connection can use the relay.</param>
    public void RelayWorks(bool works)
    {
        bool fallback;
        lock (_statistics.Gate)
        {
            _relayWorks = works;
            fallback = TakeFallback();
        }

        Count(fallback);
    }

    /// <summary>The QUIC handshake begins.</summary>
    public void HandshakeStarted()
    {
        lock (_statistics.Gate)
        {
            if (_ended || _handshaking)
            {
                return;
            }

            _handshaking = true;
        }

        Begin(ref _handshake, CallSpan.HandshakeName);
    }

    /// <summary>The QUIC handshake has ended.</summary>
    /// <param name="error">Why it failed; null where it did not.</param>
    public void HandshakeEnded(GimletErrorKind? error)
    {
        if (error is { } kind)
        {
            _handshake.Fail(kind);
        }
        else
        {
            _handshake.Stop();
        }
    }

    /// <summary>The first byte of the application went over the connection. Only the first report counts.</summary>
    /// <param name="sinceDial">Since the dial.</param>
    public void FirstByte(TimeSpan sinceDial)
    {
        lock (_statistics.Gate)
        {
            if (_hasFirstByte)
            {
                return;
            }

            _hasFirstByte = true;
            _statistics.Numbers.TimeToFirstByte.Add(sinceDial);
        }

        _statistics.Tell(GimletMeter.TimeToFirstByte, sinceDial);
    }

    /// <summary>A direct path carries the connection. Only the first report counts.</summary>
    /// <param name="sinceDial">Since the dial.</param>
    public void Direct(TimeSpan sinceDial)
    {
        lock (_statistics.Gate)
        {
            if (_hasDirect)
            {
                return;
            }

            _hasDirect = true;
            _statistics.Numbers.TimeToDirect.Add(sinceDial);
        }

        _statistics.Tell(GimletMeter.TimeToDirect, sinceDial);
    }

    /// <summary>The call is over: it has opened what it could, or failed. Ends the span. Safe to call twice.</summary>
    /// <param name="error">Why it failed; null where it did not.</param>
    /// <param name="path">The path in use at the end; null where there is none.</param>
    /// <param name="cause">Why that path is not direct.</param>
    public void End(GimletErrorKind? error, PathKind? path, RelayCause cause)
    {
        if (TryEnd())
        {
            _span.End(error, path, cause);
        }
    }

    /// <summary>The call was given up by this side before anything came of it, which is no failure. Safe to call twice, as <see cref="End"/>.</summary>
    public void Cancel()
    {
        if (TryEnd())
        {
            _span.Cancel();
        }
    }

    private bool TryEnd()
    {
        lock (_statistics.Gate)
        {
            if (_ended)
            {
                return false;
            }

            _ended = true;
        }

        _introduction.Stop();
        _punching.Stop();
        _handshake.Stop();
        return true;
    }

    /// <summary>Starts a part outside of the lock, because a listener is foreign code; a call that has ended meanwhile ends it.</summary>
    private void Begin(ref CallSpan part, string name)
    {
        CallSpan span = _span.StartChild(name);
        bool late;
        lock (_statistics.Gate)
        {
            part = span;
            late = _ended;
        }

        if (late)
        {
            span.Stop();
        }
    }

    /// <summary>True once per call, in the moment when the punch has come to nothing and the relayed connection works, whichever came last.</summary>
    private bool TakeFallback()
    {
        if (_fellBack || _ended || !_relayWorks || _punch is not (Punch.Skipped or Punch.Failed))
        {
            return false;
        }

        _fellBack = true;
        _statistics.Numbers.RelayFallbacks++;
        return true;
    }

    private void Count(bool fallback)
    {
        if (fallback)
        {
            _statistics.Tell(GimletMeter.RelayFallbacks);
        }
    }
}
