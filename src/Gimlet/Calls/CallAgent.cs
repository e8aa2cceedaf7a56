using System.Buffers.Binary;
using Gimlet.Candidates;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;

namespace Gimlet.Calls;

/// <summary>
/// One call from the moment both sides' candidates are known: checks all pairs, settles with the peer on one, keeps it alive, notices
/// its loss and looks for another (docs/architecture.md, "A call"). Sans-IO: feed <see cref="HandleRequest"/>, <see cref="HandleAnswer"/>
/// and <see cref="HandleTimeout"/>; datagrams appear in the shared queue, news at the events sink.
/// </summary>
internal sealed partial class CallAgent : IDisposable
{
    private const int CloseAttempts = 3;
    private static readonly TimeSpan CloseRetransmission = TimeSpan.FromMilliseconds(100);

    private readonly CallContext _context;
    private readonly ICallEvents _events;
    private readonly CallKeys _keys;
    private readonly CheckList _checks;
    private readonly PathMonitor _monitor;
    private readonly byte[] _username;
    private readonly ulong _tieBreaker;
    private readonly TimeSpan _startedAt;
    private TimeSpan _deadline;
    private TimeSpan _settleAt = TimeSpan.MaxValue;
    private CandidatePair? _nominating;
    private CandidatePair? _promised;
    private TimeSpan _nominateAt = TimeSpan.MaxValue;
    private TimeSpan _nominateInterval;
    private TimeSpan _nominateUntil;
    private uint _nomination;
    private uint _highestPing;
    private int _closeAttempts;
    private TimeSpan _closeAt = TimeSpan.MaxValue;
    private uint _closeReason;

    public CallAgent(CallContext context, ICallEvents events, CallId id, PeerId remote, bool isCaller, bool isControlling, CallKeys keys, TimeSpan now)
    {
        _context = context;
        _events = events;
        _keys = keys;
        _checks = new CheckList(context.Options);
        _monitor = new PathMonitor(context.Options);
        _username = CheckMessages.Username(id, isCaller);
        _startedAt = now;
        _deadline = now + context.Options.PunchDeadline;
        Id = id;
        Remote = remote;
        IsCaller = isCaller;
        IsControlling = isControlling;
        Span<byte> self = stackalloc byte[PeerId.Size];
        context.Self.CopyTo(self);
        _tieBreaker = BinaryPrimitives.ReadUInt64BigEndian(self);
    }

    public CallId Id { get; }

    public PeerId Remote { get; }

    public bool IsCaller { get; }

    /// <summary>This side nominates.</summary>
    public bool IsControlling { get; }

    /// <summary>Loopback addresses may be checked in this call, whatever the node's rule.</summary>
    public bool AllowLoopback { get; init; }

    public CallState State { get; private set; } = CallState.Checking;

    /// <summary>The path in use: the nominated pair, or the first that worked until there is one.</summary>
    public CandidatePair? Active { get; private set; }

    /// <summary>The pair that both sides have settled on.</summary>
    public CandidatePair? Nominated { get; private set; }

    public IReadOnlyList<CandidatePair> Pairs => _checks.Pairs;

    /// <summary>Authenticated checks of the peer that came in: with none, its datagrams do not get through.</summary>
    public int RequestsReceived { get; private set; }

    /// <summary>Answers to our checks that came in.</summary>
    public int AnswersReceived { get; private set; }

    public int ChecksSent { get; private set; }

    public TimeSpan NextTimeout
    {
        get
        {
            TimeSpan next = State switch
            {
                CallState.Checking or CallState.Recovering => _deadline,
                CallState.Closing => _closeAt,
                _ => TimeSpan.MaxValue,
            };
            if (State is CallState.Ended or CallState.Closing)
            {
                return next;
            }

            return Min(Min(next, _checks.NextTimeout), Min(Min(_nominateAt, _settleAt), _monitor.NextTimeout));
        }
    }

    private ReadOnlySpan<byte> OwnKey => IsCaller ? _keys.Caller : _keys.Callee;

    private ReadOnlySpan<byte> PeerKey => IsCaller ? _keys.Callee : _keys.Caller;

    /// <summary>Both sides show the same public address.</summary>
    public void SetSameSite(bool sameSite) => _checks.SameSite = sameSite;

    /// <summary>A candidate of the peer, from the introduction or trickled later. Bad ones are ignored.</summary>
    public void AddRemote(Candidate candidate, TimeSpan now)
    {
        if (State is CallState.Checking or CallState.Recovering or CallState.Connected
            && MaySendTo(candidate.Address))
        {
            // A late candidate is tried even though the call has settled: it may be the LAN.
            if (_checks.Add(candidate, now, IsInUse) is not null)
            {
                SettleLater(now);
            }
        }
    }

    /// <summary>A request that named this call. Answers it and draws the conclusions, or ignores it when it does not verify.</summary>
    /// <returns>True when it verified.</returns>
    public bool HandleRequest(TimeSpan now, TransportAddress local, TransportAddress remote, in StunMessage request)
    {
        if (State == CallState.Ended || !request.VerifyMessageIntegritySha256(PeerKey))
        {
            return false;
        }

        RequestsReceived++;
        Answer(local, remote, request);
        if (request.TryGetGimletClose(out _))
        {
            End(CallEnd.ClosedByPeer, now);
            return true;
        }

        if (State == CallState.Closing)
        {
            return true;
        }

        CandidatePair? pair = _checks.Find(remote);
        if (pair is null)
        {
            // RFC 8445 section 7.3.1.3: "the source transport address of the request ... represents a new remote
            // peer-reflexive candidate".
            if (!MaySendTo(remote))
            {
                return true;
            }

            pair = _checks.Add(new Candidate(CandidateKind.PeerReflexive, remote), now, IsInUse);
            if (pair is null)
            {
                return true;
            }
        }

        if (!pair.IsHeard)
        {
            pair.IsHeard = true;
            _events.PeerHeard(this, remote, now);
        }

        if (request.HasUseCandidate() && request.TryGetGimletNomination(out uint number))
        {
            TakeNomination(pair, number, now);
        }

        if (!pair.Valid)
        {
            CheckList.Trigger(pair, now, _context.Options);
            SettleLater(now);
        }

        if (request.TryGetGimletPing(out uint sequence))
        {
            // A sequence number that was there before may be a datagram that somebody kept: it gets its answer, and proves no life.
            if (sequence > _highestPing)
            {
                _highestPing = sequence;
                TakeTraffic(pair, local, now);
            }

            _events.PingReceived(this, sequence, remote, now);
        }

        return true;
    }

    /// <summary>An answer to one of this call's checks. What does not verify, or comes from another address than was asked, changes nothing.</summary>
    /// <returns>True when it counted.</returns>
    public bool HandleAnswer(TimeSpan now, TransportAddress local, TransportAddress remote, in CheckTransaction transaction, in StunMessage answer)
    {
        // RFC 8445 section 7.2.5.2.1: non-symmetric transport addresses fail the check.
        CandidatePair pair = transaction.Pair;
        if (State == CallState.Ended || pair.Forgotten || answer.Class != StunClass.Success || pair.Remote.Address != remote || !answer.VerifyMessageIntegritySha256(OwnKey))
        {
            return false;
        }

        AnswersReceived++;
        if (State == CallState.Closing)
        {
            if (transaction.Purpose == CheckPurpose.Close)
            {
                End(CallEnd.Closed, now);
            }

            return true;
        }

        pair.RoundTripTime = now - transaction.SentAt;
        pair.AnsweredAt ??= now;
        pair.Local = local;
        pair.Vouched = true;
        bool recovered = ReferenceEquals(pair, Active) && _monitor.IsSuspect;
        if (ReferenceEquals(pair, Active))
        {
            _monitor.Answered(now, pair.RoundTripTime);
        }

        if (!pair.Valid)
        {
            pair.Valid = true;
            CheckList.Stop(pair);
        }

        if (transaction.Purpose == CheckPurpose.Nominate && ReferenceEquals(pair, _nominating))
        {
            _nominating = null;
            _nominateAt = TimeSpan.MaxValue;
            Nominated = pair;
            Use(pair, "nominated", now);
        }
        else if (ReferenceEquals(pair, _promised))
        {
            Settle(pair, now);
        }
        else
        {
            Proven(pair, now);
        }

        if (recovered && ReferenceEquals(pair, Active))
        {
            _events.PathRecovered(this, pair, now);
        }

        if (transaction.Purpose == CheckPurpose.Ping)
        {
            _events.PingAnswered(this, transaction.Value, pair.RoundTripTime, remote, now);
        }

        return true;
    }

    public void HandleTimeout(TimeSpan now)
    {
        if (State == CallState.Closing)
        {
            ContinueClose(now);
            return;
        }

        if (State is CallState.Checking or CallState.Recovering && now >= _deadline)
        {
            End(State == CallState.Checking ? CallEnd.PunchFailed : CallEnd.PathLost, now);
            return;
        }

        if (now >= _settleAt)
        {
            _settleAt = TimeSpan.MaxValue;
            _checks.StopAll();
        }

        WatchPath(now);
        if (_nominating is not null && now >= _nominateAt)
        {
            SendNomination(now);
        }

        while (State != CallState.Ended && _checks.TryTakeDue(now, _context.Budget, out CandidatePair? due))
        {
            Send(due!, CheckPurpose.Check, 0, now);
        }
    }

    /// <summary>Sends the application's round trip over the path in use; false when there is none.</summary>
    public bool TryPing(uint sequence, TimeSpan now)
    {
        if (Active is null || State is not CallState.Connected)
        {
            return false;
        }

        Send(Active, CheckPurpose.Ping, sequence, now);
        return true;
    }

    /// <summary>Tells the peer that the call is over, a few times at most; <see cref="ICallEvents.Ended"/> follows within 300 ms.</summary>
    public void Close(uint reason, TimeSpan now)
    {
        if (State is CallState.Closing or CallState.Ended)
        {
            return;
        }

        State = CallState.Closing;
        _closeReason = reason;
        ContinueClose(now);
    }

    public void Dispose()
    {
        State = CallState.Ended;
        _keys.Dispose();
    }

    private bool MaySendTo(TransportAddress address) => CandidatePolicy.MaySendTo(address, _context.AllowLoopback || AllowLoopback);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private void Proven(CandidatePair pair, TimeSpan now)
    {
        if (Active is null || !Active.Valid || _monitor.IsSuspect)
        {
            Use(pair, Active is null ? "first to work" : "the path in use does not answer", now);
        }

        if (!IsControlling)
        {
            return;
        }

        CandidatePair? rival = _nominating ?? Nominated;
        if (rival is null || !rival.Valid || (!ReferenceEquals(rival, pair) && (PathSelection.IsBetter(pair, rival) || _monitor.IsSuspect)))
        {
            _nominating = pair;
            _nominateInterval = _context.Options.CheckRetransmission;
            _nominateUntil = now + _context.Options.PathLossTimeout;
            SendNomination(now);
        }
    }

    /// <summary>
    /// The peer's application uses the pair already: its check was answered, ours or the answer to it was lost or is still on its way. The
    /// call is a connection for this side too, or a peer that says little and leaves would never have been here. Until a check of ours is answered the
    /// pair yields to any that is proven, so an address that only repeats the peer's datagrams gains nothing.
    /// </summary>
    private void TakeTraffic(CandidatePair pair, TransportAddress local, TimeSpan now)
    {
        if (Active is null)
        {
            pair.Local = local;
            Use(pair, "the peer uses it", now);
        }
    }

    private void TakeNomination(CandidatePair pair, uint number, TimeSpan now)
    {
        // Only the controlling side nominates, and only upwards: a replayed or overtaken nomination has a smaller number.
        if (IsControlling || number <= _nomination)
        {
            return;
        }

        // RFC 8445 section 7.3.1.5: a pair that has not succeeded becomes nominated only "when the triggered check ... succeeds". Whoever
        // sees the peer's check can repeat it from an address of his own and be the first to arrive; answer our check he cannot.
        _nomination = number;
        if (!pair.Valid)
        {
            _promised = pair;
            return;
        }

        Settle(pair, now);
    }

    private void Settle(CandidatePair pair, TimeSpan now)
    {
        _promised = null;
        Nominated = pair;
        Use(pair, "nominated by the peer", now);
    }

    private void Use(CandidatePair pair, string reason, TimeSpan now)
    {
        CandidatePair? previous = Active;
        bool first = State is CallState.Checking or CallState.Recovering;
        if (!first && ReferenceEquals(previous, pair))
        {
            return;
        }

        Active = pair;
        State = CallState.Connected;
        _checks.RenewBudget();
        _settleAt = now + _context.Options.SettleTime;
        _monitor.Start(now, pair.RoundTripTime);
        if (first)
        {
            _events.PathProven(this, pair, now);
        }
        else
        {
            _events.PathChanged(this, pair, reason, now);
        }
    }

    private bool IsInUse(CandidatePair pair) =>
        ReferenceEquals(pair, Active) || ReferenceEquals(pair, Nominated) || ReferenceEquals(pair, _nominating) || ReferenceEquals(pair, _promised);

    /// <summary>A settled call tries something new for a while, not for the rest of its life.</summary>
    private void SettleLater(TimeSpan now)
    {
        if (State == CallState.Connected && _settleAt == TimeSpan.MaxValue)
        {
            _settleAt = now + _context.Options.SettleTime;
        }
    }

    private void WatchPath(TimeSpan now)
    {
        if (Active is null)
        {
            return;
        }

        bool wasSuspect = _monitor.IsSuspect;
        switch (_monitor.Poll(now))
        {
            case PathVerdict.Lost:
                _monitor.Stop();
                Active.Valid = false;
                Active = null;
                Nominated = null;
                _nominating = null;
                _promised = null;
                _nominateAt = TimeSpan.MaxValue;
                _settleAt = TimeSpan.MaxValue;
                State = CallState.Recovering;
                _deadline = now + _context.Options.PunchDeadline;
                _checks.Restart(now);
                _events.PathLost(this, now);
                break;

            case PathVerdict.Probe:
                if (_monitor.IsSuspect && !wasSuspect)
                {
                    // The others are tried before this one is given up, so that a spare path is known by then.
                    _settleAt = now + _context.Options.PathLossTimeout;
                    _checks.Restart(now);
                    _events.PathSuspect(this, now);
                }

                // The controlling side's keep-alives renew the nomination: after a rebind the peer follows to the new address with the first of them.
                if (IsControlling && _nominating is null)
                {
                    Send(Active, CheckPurpose.Nominate, ++_nomination, now);
                }
                else
                {
                    Send(Active, CheckPurpose.Check, 0, now);
                }

                break;

            case PathVerdict.Nothing:
            default:
                break;
        }
    }

    private void SendNomination(TimeSpan now)
    {
        if (now >= _nominateUntil)
        {
            // It died after it was proven. The keep-alives of the path in use renew that one's nomination, which brings the peer back to it.
            _nominating!.Valid = false;
            _nominating = null;
            _nominateAt = TimeSpan.MaxValue;
            return;
        }

        _nominateAt = now + _nominateInterval;
        TimeSpan doubled = _nominateInterval * 2;
        _nominateInterval = Min(doubled, _context.Options.MaxCheckRetransmission);
        Send(_nominating!, CheckPurpose.Nominate, ++_nomination, now);
    }

    private void ContinueClose(TimeSpan now)
    {
        CandidatePair? pair = Active ?? _checks.Pairs.FirstOrDefault(p => p.Valid);
        if (pair is null || _closeAttempts == CloseAttempts)
        {
            End(CallEnd.Closed, now);
            return;
        }

        _closeAttempts++;
        _closeAt = now + CloseRetransmission;
        Send(pair, CheckPurpose.Close, _closeReason, now);
    }

    private void End(CallEnd end, TimeSpan now)
    {
        if (State != CallState.Ended)
        {
            State = CallState.Ended;
            _events.Ended(this, end, now);
        }
    }

    private void Send(CandidatePair pair, CheckPurpose purpose, uint value, TimeSpan now)
    {
        StunTransactionId id = _context.NewTransactionId();
        uint priority = CandidatePriority.Of(CandidateKind.PeerReflexive, pair.Remote.Address);
        byte[] buffer = _context.Transmits.Rent();
        int length = CheckMessages.WriteRequest(buffer, id, _username, OwnKey, new CheckContent(purpose, value, IsControlling, _tieBreaker, priority));
        _context.Transactions.Add(id, new CheckTransaction(this, pair, now, purpose, value));
        _context.Transmits.Enqueue(pair.Remote.Address, default, NodeSocketKind.Main, buffer, length);
        ChecksSent++;
        if (ReferenceEquals(pair, Active))
        {
            _monitor.Probed(now);
        }
    }

    private void Answer(TransportAddress local, TransportAddress remote, scoped in StunMessage request)
    {
        byte[] buffer = _context.Transmits.Rent();
        int length = CheckMessages.WriteAnswer(buffer, request, remote, PeerKey);
        _context.Transmits.Enqueue(remote, local, NodeSocketKind.Main, buffer, length);
    }
}

/// <summary>Where a call stands.</summary>
internal enum CallState
{
    /// <summary>No pair has worked yet.</summary>
    Checking,

    /// <summary>A path is in use.</summary>
    Connected,

    /// <summary>The path died; all pairs are tried again.</summary>
    Recovering,

    /// <summary>This side has closed; the peer is being told.</summary>
    Closing,

    /// <summary>Over.</summary>
    Ended,
}
