using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Recovery;

/// <summary>
/// Round-trip time, congestion window, pacing and ECN of one path, for all packet number spaces. <see cref="LossDetection"/> feeds it with what
/// became of packets; the connection asks how much may go out.
/// </summary>
internal sealed class PathRecovery
{
    private readonly RecoverySettings _settings;
    private readonly CubicWindow _congestion;
    private readonly Pacer _pacer;
    private bool _isApplicationLimited;
    private long _flightBefore;
    private long _acknowledged;
    private long _lossesOfEvent;
    private TimeSpan _largestSentAt;
    private bool _isRttOwn = true;

    /// <summary>A path that was never used.</summary>
    /// <param name="settings">The constants.</param>
    /// <param name="path">Which path.</param>
    /// <param name="maxDatagramSize">UDP payload in bytes, as far as the path is known to carry.</param>
    /// <param name="ecn">Whether packets may be marked at all.</param>
    public PathRecovery(RecoverySettings settings, PathId path, int maxDatagramSize, bool ecn)
    {
        _settings = settings;
        _congestion = new CubicWindow(settings, maxDatagramSize);
        _pacer = new Pacer(settings);
        Path = path;
        Rtt = new RttEstimator(settings.InitialRtt);
        Ecn = new EcnValidation(settings, ecn);
        Reordering = new ReorderingTolerance(settings);
    }

    public PathId Path { get; }

    public RttEstimator Rtt { get; }

    public EcnValidation Ecn { get; }

    /// <summary>How late packets may be before they count as lost.</summary>
    public ReorderingTolerance Reordering { get; }

    /// <summary>bytes_in_flight.</summary>
    public long BytesInFlight { get; private set; }

    public long CongestionWindow => _congestion.Window;

    /// <summary>ssthresh; <see cref="long.MaxValue"/> before the first congestion event.</summary>
    public long SlowStartThreshold => _congestion.SlowStartThreshold;

    public bool IsInSlowStart => _congestion.IsInSlowStart;

    /// <summary>How often PTO expired without an acknowledgement since.</summary>
    public int PtoCount { get; private set; }

    /// <summary>Nothing may be sent here for lack of validation (RFC 9000 section 8.1), so no PTO is armed for it either.</summary>
    public bool IsAmplificationLimited { get; set; }

    /// <summary>How the next packet is to be marked.</summary>
    public EcnCodepoint NextEcn => Ecn.NextCodepoint;

    /// <summary>UDP payload in bytes; changes with path MTU discovery.</summary>
    public int MaxDatagramSize
    {
        get => _congestion.DatagramSize;
        set => _congestion.DatagramSize = value;
    }

    /// <summary>Whether the window has no room for a datagram.</summary>
    public bool IsCongestionBlocked => Room < MaxDatagramSize;

    /// <summary>When pacing lets go again, where pacing alone forbids to send; else null.</summary>
    public TimeSpan? NextSendTime => IsCongestionBlocked ? null : _pacer.BlockedUntil;

    /// <summary>Congestion events so far.</summary>
    public long CongestionEvents { get; private set; }

    /// <summary>Congestion events that were taken back because all of their losses were late packets.</summary>
    public long SpuriousCongestionEvents { get; private set; }

    private long Room => _congestion.Window - BytesInFlight;

    /// <summary>How many bytes congestion control and pacing let go now: a datagram at least, or 0.</summary>
    public long Allowance(TimeSpan now)
    {
        long room = Room;
        if (room < MaxDatagramSize)
        {
            _isApplicationLimited = false;
            return 0;
        }

        long paced = _pacer.Allowance(now, MaxDatagramSize);
        if (paced == 0)
        {
            // RFC 9002 section 7.8: "A sender SHOULD NOT consider itself application limited if it would have fully utilized the congestion
            // window without pacing delay."
            _isApplicationLimited = false;
        }

        return Math.Min(room, paced);
    }

    /// <summary>
    /// There is nothing more to send though the window has room: it does not grow until it was full again. Must be called for each time that it is
    /// so: without it the window grows with every acknowledgement.
    /// </summary>
    public void OnApplicationLimited(TimeSpan now)
    {
        // The clock is not needed: the curve of CUBIC stands still from the first acknowledgement on that does not grow the window. From here on it
        // would lose the time of every write that is smaller than the window.
        _ = now;
        if (!IsCongestionBlocked)
        {
            _isApplicationLimited = true;
        }
    }

    /// <summary>
    /// How long to wait for an acknowledgement, without backoff (RFC 9002 section 6.2.1): smoothed_rtt + max(4*rttvar, kGranularity) +
    /// max_ack_delay.
    /// </summary>
    public TimeSpan PtoPeriod(PacketNumberSpace space, TimeSpan peerMaxAckDelay)
    {
        // RFC 9002 section 6.2.1: max_ack_delay is zero for Initial and Handshake, which the peer does not delay on purpose.
        TimeSpan period = Rtt.Smoothed + Max(4 * Rtt.Variation, _settings.Granularity);
        return space is PacketNumberSpace.Application ? period + peerMaxAckDelay : period;
    }

    /// <summary>
    /// RTT and congestion begin anew. Nothing may be in flight.
    /// </summary>
    public void Reset()
    {
        BytesInFlight = 0;
        PtoCount = 0;
        _isApplicationLimited = false;
        _isRttOwn = true;
        Rtt.Reset();
        Ecn.Reset();
        Reordering.Reset();
        _congestion.Reset();
        _pacer.Reset();
    }

    internal void OnPacketSent(in SentPacket packet)
    {
        if (packet.Ecn is EcnCodepoint.Ect0)
        {
            Ecn.OnMarkedSent();
        }

        if (packet.IsInFlight)
        {
            BytesInFlight += packet.Size;
            _pacer.SetRate(packet.SentAt, CongestionWindow, IsInSlowStart, Rtt, MaxDatagramSize);
            _pacer.OnSent(packet.SentAt, packet.Size, MaxDatagramSize);
            if (IsCongestionBlocked)
            {
                _isApplicationLimited = false;
            }
        }
    }

    /// <summary>An ACK frame begins to be looked at.</summary>
    internal void BeginAck()
    {
        _flightBefore = BytesInFlight;
        _acknowledged = 0;
        _largestSentAt = TimeSpan.MinValue;
    }

    /// <summary>A packet in flight was acknowledged.</summary>
    internal void OnAcknowledged(int size, TimeSpan sentAt)
    {
        BytesInFlight -= size;
        _largestSentAt = sentAt > _largestSentAt ? sentAt : _largestSentAt;

        // RFC 9002 section 7.3.2: what was sent before the reduction does not grow the window.
        if (!_congestion.IsInRecovery(sentAt))
        {
            _acknowledged += size;
        }
    }

    /// <summary>An RTT sample was taken.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="latest">From sending the packet until its acknowledgement came.</param>
    /// <param name="ackDelay">What of it the peer waited, already limited to what it may wait.</param>
    /// <param name="isOwnWay">
    /// Whether the acknowledgement came on the same path. One that came another way counts only while there is nothing better, or when the probe timeout
    /// shows that what is known does not hold any more; the first one of the path's own then begins anew.
    /// </param>
    internal void OnRttSample(TimeSpan now, TimeSpan latest, TimeSpan ackDelay, bool isOwnWay)
    {
        if (!isOwnWay && _isRttOwn && Rtt.HasSample && PtoCount == 0)
        {
            return;
        }

        if (isOwnWay && !_isRttOwn)
        {
            Rtt.Reset();
        }

        _isRttOwn = isOwnWay;
        Rtt.Update(now, latest, ackDelay);
        _congestion.OnRttSample(latest);
    }

    /// <summary>The ACK frame was looked at; the window grows.</summary>
    internal void EndAck(TimeSpan now)
    {
        // A loss that this frame showed began a recovery period: then it does not grow the window either.
        if (_acknowledged > 0 && !_congestion.IsInRecovery(_largestSentAt))
        {
            _congestion.OnAcknowledged(now, _acknowledged, _largestSentAt, Rtt.Smoothed, IsUtilised());
        }

        _pacer.SetRate(now, CongestionWindow, IsInSlowStart, Rtt, MaxDatagramSize);
    }

    internal void ResetPtoCount() => PtoCount = 0;

    internal void OnProbeTimeout()
    {
        PtoCount++;
        Ecn.OnProbeTimeout(PtoCount);
    }

    /// <summary>A packet leaves the network, or is forgotten, without an effect on the window.</summary>
    internal void OnRemoved(int size) => BytesInFlight -= size;

    /// <summary>A packet that says something of congestion was lost.</summary>
    /// <returns>The congestion event that its loss belongs to.</returns>
    internal int OnLost(TimeSpan now, TimeSpan sentAt)
    {
        if (_congestion.OnCongestionEvent(now, sentAt, isUndoable: true))
        {
            CongestionEvents++;
            _lossesOfEvent = 0;
            Reordering.OnCongestionEvent();
        }

        _lossesOfEvent++;
        return _congestion.EventNumber;
    }

    /// <summary>A router marked a packet; the largest acknowledged was sent at that time (RFC 9002 appendix B.7).</summary>
    internal void OnMarked(TimeSpan now, TimeSpan sentAt)
    {
        if (_congestion.OnCongestionEvent(now, sentAt, isUndoable: false))
        {
            CongestionEvents++;
        }
    }

    internal void OnPersistentCongestion()
    {
        // The ACK that showed it does not grow the window again at once.
        _acknowledged = 0;
        _congestion.OnPersistentCongestion();
        Rtt.ForgetMinimum();
    }

    /// <summary>A packet was not lost after all. The event is taken back once none of its losses is left.</summary>
    internal void OnSpuriousLoss(int eventNumber)
    {
        if (eventNumber == _congestion.EventNumber && --_lossesOfEvent == 0 && _congestion.TryUndo())
        {
            SpuriousCongestionEvents++;
        }
    }

    // RFC 9002 section 7.8: a window that is not used is not to grow. In slow start half of it is use enough: it was full a round trip ago.
    // Otherwise it is full but for a burst of three datagrams.
    private bool IsUtilised()
        => !_isApplicationLimited
        || (IsInSlowStart ? 2 * _flightBefore >= CongestionWindow : _flightBefore + (3L * MaxDatagramSize) >= CongestionWindow);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
