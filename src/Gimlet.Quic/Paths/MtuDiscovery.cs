namespace Gimlet.Quic.Paths;

/// <summary>
/// Finds the largest datagram that one path carries (RFC 8899, as RFC 9000 section 14.3 applies it): a search by probes, one at a time, of which
/// the first has the largest size, because most paths carry that. Sizes are UDP payloads in bytes.
/// </summary>
internal sealed class MtuDiscovery
{
    /// <summary>
    /// RFC 9000 section 14.3: "Endpoints SHOULD set the initial value of BASE_PLPMTU ... to be consistent with QUIC's smallest allowed maximum
    /// datagram size", 1200 bytes.
    /// </summary>
    public const int Base = 1200;

    /// <summary>RFC 8899 section 5.1.2: "The default value of MAX_PROBES is 3."</summary>
    public const int MaxProbes = 3;

    /// <summary>The search ends when it could gain no more than this: one percent of the bytes, for up to three more
    /// probes and their round trips.</summary>
    public const int SmallestGain = 16;

    /// <summary>RFC 8899 section 5.1.1: PMTU_RAISE_TIMER, "This timer has a period of 600 seconds, as recommended by PLPMTUD".</summary>
    public static readonly TimeSpan RaiseInterval = TimeSpan.FromSeconds(600);

    private const long NoProbe = -1;

    private readonly int _initial;
    private readonly int _configuredMaximum;
    private readonly BlackHoleDetector _blackHole = new();
    private int _maximum;
    private int _upper;
    private bool _hasTriedUpper;
    private int _probeSize;
    private int _probeLosses;
    private long _probePacketNumber = NoProbe;
    private TimeSpan? _raiseAt;

    /// <summary>Begins a path.</summary>
    /// <param name="initial">What packets may have before anything is known; at least 1200.</param>
    /// <param name="maximum">The largest size that is tried.</param>
    public MtuDiscovery(int initial, int maximum)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(initial, Base);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximum, initial);
        _initial = initial;
        _configuredMaximum = maximum;
        _maximum = maximum;
        _upper = maximum;
        Current = initial;
    }

    /// <summary>What a datagram may have now.</summary>
    public int Current { get; private set; }

    /// <summary>When <see cref="HandleTimeout"/> is wanted, or null: a probe is wanted now, one is under way, or there is nothing to find.</summary>
    public TimeSpan? NextTimeout => _raiseAt;

    /// <summary>
    /// What the packets of a probe timeout should have. In a black hole nothing large comes back, so nothing would ever be declared lost: from the
    /// second timeout in a row on they are of the base size.
    /// </summary>
    /// <param name="timeouts">How many probe timeouts there were in a row.</param>
    public int SizeForProbeTimeout(int timeouts) => timeouts < 2 ? Current : Math.Min(Current, Base);

    /// <summary>Begins another search when it is time to.</summary>
    public void HandleTimeout(TimeSpan now)
    {
        if (now >= _raiseAt)
        {
            BeginSearch();
        }
    }

    /// <summary>Whether a probe is wanted now: a packet of PING and PADDING that fills a datagram (RFC 9000 section 14.4).</summary>
    /// <param name="now">The clock.</param>
    /// <param name="size">The datagram's size in bytes.</param>
    public bool TryGetProbe(TimeSpan now, out int size)
    {
        size = 0;
        HandleTimeout(now);
        if (_raiseAt is not null || _probePacketNumber != NoProbe)
        {
            return false;
        }

        if (IsSearchOver)
        {
            SetRaiseTimer(now);
            return false;
        }

        size = NextSize;
        return true;
    }

    /// <summary>A probe went out.</summary>
    public void OnProbeSent(TimeSpan now, long packetNumber, int size)
    {
        _ = now;
        _probePacketNumber = packetNumber;
        if (size != _probeSize)
        {
            _probeSize = size;
            _probeLosses = 0;
        }
    }

    /// <summary>A probe arrived: datagrams may have its size.</summary>
    public void OnProbeAcknowledged(TimeSpan now, long packetNumber)
    {
        _blackHole.OnAcknowledged(packetNumber);
        if (packetNumber != _probePacketNumber)
        {
            return;
        }

        _probePacketNumber = NoProbe;
        Current = Math.Max(Current, Math.Min(_probeSize, _maximum));
        _hasTriedUpper |= _probeSize >= _upper;
        EndProbe(now);
    }

    /// <summary>A probe was lost; three times: its size is too large.</summary>
    public void OnProbeLost(TimeSpan now, long packetNumber)
    {
        if (packetNumber != _probePacketNumber)
        {
            return;
        }

        _probePacketNumber = NoProbe;
        if (++_probeLosses >= MaxProbes)
        {
            _upper = Math.Min(_upper, _probeSize - 1);
            _hasTriedUpper = true;
            EndProbe(now);
        }
    }

    /// <summary>A packet that is no probe was lost.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="packetNumber">Its number.</param>
    /// <param name="size">The size of its datagram, or its own.</param>
    /// <returns>True when <see cref="Current"/> shrank: the path does not carry it any more.</returns>
    public bool OnPacketLost(TimeSpan now, long packetNumber, int size) =>
        size > Base && Current > Base && _blackHole.OnLost(now, packetNumber) && FallBack(now, isBlackHole: true);

    /// <summary>A packet that is no probe arrived.</summary>
    /// <param name="packetNumber">Its number.</param>
    /// <param name="size">The size of its datagram, or its own.</param>
    public void OnPacketAcknowledged(long packetNumber, int size)
    {
        if (size > Base)
        {
            _blackHole.OnAcknowledged(packetNumber);
        }
    }

    /// <summary>
    /// Nothing arrived for three PTOs (RFC 9002 section 7.6): perhaps only nothing large does. RFC 8899 section 4.3 leaves to us how a black hole is
    /// told.
    /// </summary>
    /// <returns>True when <see cref="Current"/> shrank.</returns>
    public bool OnPersistentCongestion(TimeSpan now) => Current > Base && FallBack(now, isBlackHole: false);

    /// <summary>The system refused a datagram as too large (EMSGSIZE): this is what the own interface carries, no loss to wait for.</summary>
    /// <param name="size">Its size.</param>
    /// <returns>True when <see cref="Current"/> shrank.</returns>
    public bool OnTooLarge(int size)
    {
        if (size <= Base)
        {
            return false;
        }

        _upper = Math.Min(_upper, size - 1);
        _hasTriedUpper = true;
        if (_probeSize >= size)
        {
            _probePacketNumber = NoProbe;
            _probeLosses = 0;
        }

        if (size > Current)
        {
            return false;
        }

        // What is below is found by probes again.
        Current = Base;
        _raiseAt = null;
        return true;
    }

    /// <summary>The peer's max_udp_payload_size: nothing larger is sent (RFC 9000 section 18.2).</summary>
    public void SetMaximum(int maximum)
    {
        _maximum = Math.Max(Base, Math.Min(maximum, _configuredMaximum));
        Current = Math.Min(Current, _maximum);
        BeginSearch();
    }

    /// <summary>The path's other end changed: all begins anew.</summary>
    public void Reset(TimeSpan now)
    {
        _ = now;
        Current = Math.Min(_initial, _maximum);
        _probePacketNumber = NoProbe;
        _blackHole.Reset();
        BeginSearch();
    }

    private bool IsSearchOver => _upper <= Current || (_hasTriedUpper && _upper - Current < SmallestGain);

    private int NextSize => _hasTriedUpper ? Current + ((_upper - Current + 1) / 2) : _upper;

    private void BeginSearch()
    {
        _upper = _maximum;
        _hasTriedUpper = false;
        _probeLosses = 0;
        _probeSize = 0;
        _raiseAt = null;
    }

    private void EndProbe(TimeSpan now)
    {
        _probeLosses = 0;
        _probeSize = 0;

        SetRaiseTimer(now);
    }

    // RFC 8899 section 5.1.4: "The PMTU_RAISE_TIMER is used to periodically resume the Search Phase to discover if the PLPMTU can be raised." Not
    // where nothing is left to be gained.
    private void SetRaiseTimer(TimeSpan now)
    {
        if (IsSearchOver && Current < _maximum)
        {
            _raiseAt = now + RaiseInterval;
        }
    }

    private bool FallBack(TimeSpan now, bool isBlackHole)
    {
        Current = Base;
        _probePacketNumber = NoProbe;
        BeginSearch();

        // What the path carries now is searched at once. A path that proves to be a black hole again and again is left alone for a while; one that
        // carried nothing at all, of any size, is not.
        if (isBlackHole && _blackHole.OnFellBack(now))
        {
            _raiseAt = now + RaiseInterval;
        }

        return true;
    }
}
