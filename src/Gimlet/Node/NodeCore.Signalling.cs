using Gimlet.Access;
using Gimlet.Calls;
using Gimlet.Candidates;
using Gimlet.Errors;
using Gimlet.Identity;
using Gimlet.Serverless;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Node;

/// <content>The signalling side: sessions, dials, incoming calls.</content>
internal sealed partial class NodeCore : ISignallingOwner
{
    // A server takes 100 frames at once (RendezvousLimits.MessageBurst); the rest of them is for dials and answers.
    private const int MaxCallsToTell = 64;

    // One of each address family.
    private const int MaxProven = 2;

    /// <summary>The WebSocket of a session is open.</summary>
    public void SignallingOpened(int session, string authority, TimeSpan now) => Find(session)?.Opened(authority, now);

    /// <summary>The WebSocket of a session is gone. Connections with a direct path do not notice.</summary>
    public void SignallingClosed(int session, TimeSpan now)
    {
        Find(session)?.Closed();
        foreach (PendingDial dial in _dials.All)
        {
            if (dial.Session == session)
            {
                // The dial goes out again through another server, or through this one when it is back.
                dial.Session = -1;
                _ = dial.TriedSessions.Remove(session);
            }
        }

        SendWaitingDials(now);
    }

    /// <summary>A text frame of a session.</summary>
    public void HandleSignal(int session, ReadOnlySpan<byte> text, TimeSpan now)
    {
        Find(session)?.Handle(text, now);
        AfterCalls(now);
    }

    public bool IsRegistered(int session) => Find(session)?.State == SignallingState.Registered;

    /// <summary>The last error that a server named in the present session, if any.</summary>
    public ErrorMessage? LastError(int session) => Find(session)?.LastError;

    /// <summary>A fresh id for <see cref="Dial(DialRequest, TimeSpan)"/> or <see cref="DialServerless"/>.</summary>
    public CallId NewCallId()
    {
        Span<byte> bytes = stackalloc byte[CallId.Size];
        _options.Random(bytes);
        return new CallId(bytes);
    }

    /// <summary>Asks whether a dial to a peer for a protocol is under way (docs/connections.md, "Glare"); set by whoever keeps the dials.</summary>
    public Func<PeerId, string, bool> IsDialling { get; set; } = static (_, _) => false;

    /// <summary>Asks whether a connection with a peer is open; set by whoever keeps them.</summary>
    public Func<PeerId, bool> HasConnection { get; set; } = static _ => false;

    /// <summary>Calls that have an agent.</summary>
    public int CallCount => _calls.All.Count;

    /// <summary>Calls of this node that wait for their introduction.</summary>
    public int DialCount => _dials.All.Count();

    /// <summary>Some server knows this node.</summary>
    public bool IsAnyRegistered => _sessions.Exists(static s => s.State == SignallingState.Registered);

    /// <summary>Some server that knows this node relays.</summary>
    public bool CanRelay => _sessions.Exists(static s => s.State == SignallingState.Registered && Relays(s));

    /// <summary>That server relays.</summary>
    public bool RelaysAt(int session) => Find(session) is { } found && Relays(found);

    /// <summary>Calls a peer through the servers; events about the call carry its id.</summary>
    public void Dial(CallId id, PeerId peer, TimeSpan now) => Dial(new DialRequest(id, peer), now);

    /// <summary>Calls a peer through the servers; events about the call carry its id.</summary>
    public void Dial(DialRequest request, TimeSpan now)
    {
        var dial = new PendingDial(request, now, now + _options.Traversal.IntroductionTimeout);
        _dials.Add(dial);
        SendDial(dial);
    }

    /// <summary>Which session carries a dial that waits for its introduction; -1 for none.</summary>
    public int SessionOf(CallId call) => _dials.TryFind(call, out PendingDial? dial) ? dial!.Session : -1;

    /// <summary>A dial or call of this node waits for its introduction: there will be news of it.</summary>
    public bool IsPending(CallId call) => _dials.TryFind(call, out _);

    /// <summary>Somebody has other evidence that the path of a call may be dead.</summary>
    public void Doubt(CallId handle, TimeSpan now)
    {
        if (_calls.TryFindHandle(handle, out NodeCall? call))
        {
            call!.Agent.Doubt(now);
        }
    }

    /// <summary>Authentic data of a call's peer came from an address.</summary>
    public void Probe(CallId handle, TransportAddress remote, TimeSpan now)
    {
        if (_calls.TryFindHandle(handle, out NodeCall? call))
        {
            call!.Agent.Probe(remote, now);
        }
    }

    /// <summary>What the checks of the calls with a peer have shown so far.</summary>
    public IReadOnlyList<CandidateCheck> ChecksWith(PeerId peer) => [.. _calls.All.Where(c => c.Agent.Remote == peer).SelectMany(c => c.Agent.DescribePairs())];

    private static bool Relays(SignallingSession session) => session.Limits?.RelayFrameBytes is not null;

    /// <summary>Connects to an address that was exchanged by hand; events about the attempt carry the handle.</summary>
    public void DialServerless(CallId handle, TransportAddress target, PeerId expected, ServerlessTimers timers, TimeSpan now) =>
        _serverless.Add(handle, target, expected, timers, now);

    /// <summary>Sends an application's round trip; false when the connection has no path at the moment.</summary>
    public bool TryPing(CallId handle, uint sequence, TimeSpan now) =>
        _calls.TryFindHandle(handle, out NodeCall? call) && call!.Agent.TryPing(sequence, now);

    RegisterMessage ISignallingOwner.DescribeRegistration() => new()
    {
        Accept = _options.AcceptMode,
        Capabilities = _options.Capabilities,
        Prekey = _prekey.Signed,
        Candidates = DescribeCandidates(),
        Nat = DescribeNat(),
        Agent = _options.Agent,
    };

    void ISignallingOwner.Send(SignallingSession session, SignalMessage message) => _signals.Enqueue((session.Index, message));

    void ISignallingOwner.ChallengeReceived(SignallingSession session, ChallengeMessage challenge, TimeSpan now) =>
        _events.Enqueue(new StunServersNamed(session.Index, challenge.Stun ?? []));

    void ISignallingOwner.Registered(SignallingSession session, RegisteredMessage registered, TimeSpan now)
    {
        MergeInto(session);
        _events.Enqueue(new SessionRegistered(session.Index, PlainText.Of(registered.Observed, "nothing")));

        // What was learned while the registration was on its way is not in it, and what was learned while the session was down
        // has reached no peer.
        CandidateDescription[] candidates = DescribeCandidates();
        SendUpdate(session, candidates, now);
        foreach (NodeCall call in CallsToTell().Where(c => c.Session == session.Index))
        {
            _signals.Enqueue((session.Index, new CandidatesMessage { Call = call.Agent.Id.ToString(), Candidates = candidates }));
        }

        SendWaitingDials(now);
    }

    void ISignallingOwner.ErrorReceived(SignallingSession session, ErrorMessage error) =>
        _events.Enqueue(new SessionError(session.Index, PlainText.Of(error.Code, "unknown"), PlainText.Of(error.Detail, "the server gave no detail")));

    void ISignallingOwner.SignalIgnored(SignallingSession session, string problem) => _events.Enqueue(new SignalIgnored(session.Index, PlainText.Of(problem, "no reason")));

    void ISignallingOwner.GaveUp(SignallingSession session, string reason) => _events.Enqueue(new SessionGivenUp(session.Index, reason));

    void ISignallingOwner.MessageReceived(SignallingSession session, SignalMessage message, TimeSpan now)
    {
        switch (message)
        {
            case IntroduceMessage introduce:
                HandleIntroduce(session, introduce, now);
                break;
            case IncomingMessage incoming:
                HandleIncoming(session, incoming, now);
                break;
            case LimitedMessage limited:
                _events.Enqueue(new SessionLimited(session.Index, PlainText.Of(limited.Limit, "a limit without a name"), limited.Value, limited.Dropped));
                break;
            case UnreachableMessage unreachable when PeerId.TryParse(unreachable.Peer, out PeerId missing):
                _events.Enqueue(new PeerUnreachable(session.Index, missing, PlainText.Of(unreachable.Reason, "no reason given")));
                break;
            case RejectMessage reject:
                HandleReject(session, reject, now);
                break;
            case HangupMessage hangup when CallId.TryParse(hangup.Call, out CallId over):
                HandleHangup(session, over, now);
                break;
            case CandidatesMessage candidates when CallId.TryParse(candidates.Call, out CallId id) && _calls.TryFind(id, out NodeCall? call) && call!.Session == session.Index:
                call.PeerNat = candidates.Nat ?? call.PeerNat;
                AddRemoteCandidates(call.Agent, candidates.Candidates, now);
                break;
            default:
                break;
        }
    }

    private void HandleIntroduce(SignallingSession session, IntroduceMessage introduce, TimeSpan now)
    {
        if (!CallId.TryParse(introduce.Call, out CallId id) || !_dials.TryFind(id, out PendingDial? dial) || dial!.Session != session.Index)
        {
            return;
        }

        // The server is not believed: the key must hash to the id that was dialled, and must have signed the pre-key.
        byte[] publicKey = introduce.PublicKey ?? [];
        byte[] prekey = introduce.Prekey?.Key ?? [];
        if (!P256.IsPoint(prekey)
            || PeerId.FromPublicKey(publicKey) != dial.Peer
            || !P256.Verify(publicKey, Statement.Prekey(prekey), introduce.Prekey!.Signature))
        {
            FailDial(dial, now, GimletErrorKind.RendezvousRejected, $"The server introduced somebody who is not {dial.Peer}: the key or its signature is wrong.", "Do not trust this server.");
            return;
        }

        if (dial.Request.Protocol is not null)
        {
            _introduced.Add(dial, now);
        }

        if (dial.Request.HasPath)
        {
            _dials.Remove(dial);
            _events.Enqueue(new CallSharesPath(id, dial.Peer));
            return;
        }

        // The server admits relayed datagrams between the two from here on, whatever becomes of the punch.
        bool relays = Relays(session) && introduce.Capabilities?.Contains(Capability.Relay, StringComparer.Ordinal) == true;
        if (introduce.Capabilities is null || !introduce.Capabilities.Contains(Capability.Direct, StringComparer.Ordinal))
        {
            if (!relays)
            {
                FailDial(dial, now, GimletErrorKind.RendezvousNoRelay, $"The server does not relay to {dial.Peer}, which takes part in no direct paths.", null);
                return;
            }

            FailDial(dial, now, GimletErrorKind.Unsupported, $"{dial.Peer} takes part in no direct paths.", null, relays, RelayCause.PeerUnsupported);
            return;
        }

        if (_options.NoHolepunch || !dial.Request.WantsPaths)
        {
            if (!relays)
            {
                FailDial(dial, now, GimletErrorKind.RendezvousNoRelay, $"The server does not relay to {dial.Peer}, and this call looks for no direct path.", null);
                return;
            }

            if (_options.NoHolepunch)
            {
                FailDial(dial, now, GimletErrorKind.Unsupported, "This side takes part in no direct paths.", "Leave out --no-holepunch.", relays, RelayCause.OwnHolepunchOff);
                return;
            }

            FailDial(dial, now, GimletErrorKind.Unsupported, "This call looks for no direct path.", null, relays);
            return;
        }

        var keys = CallKeys.TryDerive(dial.Ephemeral, prekey, id, Id, dial.Peer);
        if (keys is null)
        {
            FailDial(dial, now, GimletErrorKind.RendezvousRejected, $"The pre-key of {dial.Peer} is not a point of P-256.", null);
            return;
        }

        _dials.Remove(dial);
        BeginCall(id, dial.Peer, isCaller: true, keys, session.Index, dial.StartedAt, introduce.Candidates, introduce.Nat, now);
    }

    private void HandleIncoming(SignallingSession session, IncomingMessage incoming, TimeSpan now)
    {
        // A call of ours with that id is on its way: its callee knows the id before we know its keys, and must not be able to take its place.
        if (!CallId.TryParse(incoming.Call, out CallId id) || !PeerId.TryParse(incoming.Peer, out PeerId peer) || _dials.TryFind(id, out _))
        {
            return;
        }

        if (_calls.TryFind(id, out NodeCall? known))
        {
            // The server repeats a call whose answer it has not seen, after either side's WebSocket was replaced.
            if (known!.IsIncoming && known.Agent.Remote == peer && _options.AcceptMode == AcceptMode.OnAccept)
            {
                _signals.Enqueue((session.Index, new AcceptMessage { Call = incoming.Call, Candidates = DescribeCandidates() }));
            }

            return;
        }

        Span<byte> idBytes = stackalloc byte[CallId.Size];
        id.CopyTo(idBytes);
        byte[] publicKey = incoming.PublicKey ?? [];
        byte[] point = incoming.Ephemeral?.Key ?? [];
        CallKeys? keys = null;

        // A caller that names no address looks for no path: it wants none, or has one already. Then there are no checks, and no keys for them.
        bool looksForPaths = !_options.NoHolepunch && incoming.Candidates is { Length: > 0 } && incoming.Capabilities?.Contains(Capability.Direct, StringComparer.Ordinal) == true;

        // What costs nothing comes first: whoever is not welcome, or calls too often, does not make this node compute.
        bool onlyPaths = incoming.Protocol is null && HasConnection(peer);
        bool isDecided = _admission.TryDecideAtOnce(peer, onlyPaths, incoming.Proof, out AccessDecision access);
        (string? Reason, string? Detail) refusal =
            isDecided && !access.IsAccepted ? (access.Reason!, access.Detail!)
            : _calls.IncomingCount >= _options.Traversal.MaxIncomingCalls ? (RejectReason.Busy, "too many calls at once")
            : _calls.CountIncomingFrom(peer) >= IncomingGuard.MaxCallsPerPeer ? (RejectReason.Busy, "too many calls of this peer at once")
            : _incoming.IsReplay(id, now) ? (RejectReason.BadRequest, "this call is over")
            : !_incoming.TryTake(now) ? (RejectReason.RateLimited, "too many calls in this second")
            : !P256.IsPoint(point) || PeerId.FromPublicKey(publicKey) != peer || peer == Id
                || !P256.Verify(publicKey, Statement.CallKey(idBytes, peer, Id, point), incoming.Ephemeral!.Signature)
                ? (RejectReason.BadRequest, "the key of the call is not signed by the caller")
            : !isDecided && (access = _admission.DecideOnProof(id, peer, point, incoming.Proof, _options.UtcNow())) is { IsAccepted: false }
                ? (access.Reason!, access.Detail!)
            : incoming.Protocol is { } wanted && !_options.Protocols.Contains(wanted, StringComparer.Ordinal)
                ? (RejectReason.Unsupported, "no application here speaks that protocol")
            : incoming.Protocol is { } both && Id < peer && IsDialling(peer, both) ? (RejectReason.Glare, "this node is calling that peer for the same protocol")
            : looksForPaths && (keys = CallKeys.TryDerive(_prekey.Key, point, id, peer, Id)) is null ? (RejectReason.BadRequest, "the key of the call is not a point of P-256")
            : default;
        if (refusal.Reason is not null)
        {
            _signals.Enqueue((session.Index, new RejectMessage { Call = incoming.Call, Reason = refusal.Reason, Detail = refusal.Detail }));
            return;
        }

        _incoming.Remember(id, now);
        IReadOnlyList<TransportAddress> proven = looksForPaths && incoming.Protocol is not null ? ProvenOf(incoming.Candidates!) : [];
        _events.Enqueue(new CallAdmitted(id, peer, session.Index, incoming.Protocol, proven) { LooksForPaths = looksForPaths });
        if (_options.AcceptMode == AcceptMode.OnAccept)
        {
            _signals.Enqueue((session.Index, new AcceptMessage { Call = incoming.Call, Candidates = DescribeCandidates() }));
        }

        if (keys is null)
        {
            return;
        }

        BeginCall(id, peer, isCaller: false, keys, session.Index, now, incoming.Candidates, incoming.Nat, now);
        if (_options.AcceptMode == AcceptMode.Open && now - session.UpdatedAt < UpdateInFlight)
        {
            // The call and our last update may have crossed: the server then told the caller what was true before it.
            _signals.Enqueue((session.Index, new CandidatesMessage { Call = incoming.Call, Candidates = DescribeCandidates(), Nat = DescribeNat() }));
        }
    }

    // Where the caller gets the first flight directly as well (EarlyCopies): what a stranger can only say of himself is not among them.
    private List<TransportAddress> ProvenOf(CandidateDescription[] candidates)
    {
        var proven = new List<TransportAddress>(MaxProven);
        foreach (CandidateDescription description in candidates.Take(SignalProtocol.MaxCandidates))
        {
            if (proven.Count < MaxProven && Candidate.TryRead(description, out Candidate candidate) && candidate.IsProven
                && CandidatePolicy.MaySendTo(candidate.Address, _options.AllowLoopback) && !proven.Contains(candidate.Address))
            {
                proven.Add(candidate.Address);
            }
        }

        return proven;
    }

    private void SendUpdate(SignallingSession session, CandidateDescription[] candidates, TimeSpan now)
    {
        session.UpdatedAt = now;
        _signals.Enqueue((session.Index, new UpdateMessage { Candidates = candidates, Nat = DescribeNat() }));
    }

    private void HandleReject(SignallingSession session, RejectMessage reject, TimeSpan now)
    {
        if (!CallId.TryParse(reject.Call, out CallId id))
        {
            return;
        }

        if (!_dials.TryFind(id, out PendingDial? dial))
        {
            RejectIntroduced(session, id, reject, now);
            return;
        }

        if (dial!.Session != session.Index)
        {
            return;
        }

        if (reject.Reason == RejectReason.Offline && FindSession(dial) is not null)
        {
            SendDial(dial);
            return;
        }

        if (TellRejected(id, dial.Peer, dial.StartedAt, reject, now))
        {
            _dials.Remove(dial);
        }
    }

    // A callee that registered as open is introduced before it has said anything: its no comes after the introduction.
    private void RejectIntroduced(SignallingSession session, CallId id, RejectMessage reject, TimeSpan now)
    {
        if (!_introduced.TryFind(id, session.Index, now, out IntroducedDial dial))
        {
            return;
        }

        _ = _calls.TryFind(id, out NodeCall? call);
        if (call?.WasConnected != true && TellRejected(id, dial.Peer, dial.StartedAt, reject, now))
        {
            _introduced.Remove(id);
            if (call is not null)
            {
                // Nobody answers its checks: whoever rejects a call has no keys of it.
                _calls.Drop(call);
            }
        }
    }

    private bool TellRejected(CallId id, PeerId peer, TimeSpan startedAt, RejectMessage reject, TimeSpan now)
    {
        if (reject.Reason == RejectReason.Glare)
        {
            _events.Enqueue(new CallGlared(id));
            return true;
        }

        var refusal = CallRefusal.Of(reject.Reason, reject.Detail, peer);
        if (refusal.Kind is not { } kind)
        {
            return false;
        }

        _events.Enqueue(new CallFailed(id, kind, refusal.Message, refusal.Hint)
        {
            Elapsed = now - startedAt,
            Verdict = new RelayVerdict(refusal.Cause, RelayEvidence.None),
        });
        return true;
    }

    private void BeginCall(
        CallId id, PeerId peer, bool isCaller, CallKeys keys, int session, TimeSpan startedAt, CandidateDescription[]? candidates, NatDescription? nat, TimeSpan now)
    {
        // The smaller id controls: both sides know it without a word, and it is the same in every call between the two.
        var agent = new CallAgent(_context, _calls, id, peer, isCaller, isControlling: Id < peer, keys, now);
        _calls.Add(new NodeCall(id, agent, session, isIncoming: !isCaller, isAuthenticated: true, startedAt, nat));
        _events.Enqueue(new CallIntroduced(id, peer, IsIncoming: !isCaller));
        AddRemoteCandidates(agent, candidates, now);
    }

    private void AddRemoteCandidates(CallAgent agent, CandidateDescription[]? candidates, TimeSpan now)
    {
        foreach (CandidateDescription description in (candidates ?? []).Take(SignalProtocol.MaxCandidates))
        {
            if (Candidate.TryRead(description, out Candidate candidate))
            {
                if (_gatherer.Candidates.Any(own => own.Kind != CandidateKind.Host && own.Address.SameAddress(candidate.Address)))
                {
                    agent.SetSameSite(true);
                }

                agent.AddRemote(candidate, now);
            }
        }
    }

    private void SendWaitingDials(TimeSpan now)
    {
        foreach (PendingDial dial in _dials.All.Where(d => d.Session < 0 && now < d.Deadline))
        {
            SendDial(dial);
        }
    }

    private void SendDial(PendingDial dial)
    {
        SignallingSession? session = FindSession(dial);
        if (session is null)
        {
            return;
        }

        dial.Session = session.Index;
        _ = dial.TriedSessions.Add(session.Index);
        ConnectMessage connect = PendingDials.Describe(dial, _options.Identity);
        _events.Enqueue(new CallRouted(dial.Id, dial.Peer, session.Index) { IsDial = dial.Request.Protocol is not null });
        CandidateDescription[] candidates = dial.Request is { WantsPaths: true, HasPath: false } ? DescribeCandidates() : [];
        _signals.Enqueue((session.Index, connect with { Candidates = candidates, Nat = DescribeNat() }));
    }

    private SignallingSession? FindSession(PendingDial dial) => _sessions.Find(
        s => s.State == SignallingState.Registered && s.Serves(dial.Peer) && !dial.TriedSessions.Contains(s.Index) && (dial.Sessions.Count == 0 || dial.Sessions.Contains(s.Index)));

    private void FailDial(
        PendingDial dial, TimeSpan now, GimletErrorKind kind, string message, string? hint, bool leavesRelay = false, RelayCause? skipped = null)
    {
        if (leavesRelay)
        {
            _dials.Remove(dial);
        }
        else
        {
            GiveUp(dial.Id, now);
        }

        _events.Enqueue(new CallFailed(dial.Id, kind, message, hint) { LeavesRelay = leavesRelay, Skipped = skipped, Elapsed = now - dial.StartedAt });
    }

    private CandidateDescription[] DescribeCandidates() =>
        _options.NoHolepunch ? [] : [.. _gatherer.Candidates.Take(SignalProtocol.MaxCandidates).Select(c => c.ToDescription())];

    /// <summary>Tells the servers where this node may be reached now, and the peers of calls under way what is new (trickle, RFC 8838).</summary>
    private void AnnounceCandidates(TimeSpan now)
    {
        CandidateDescription[] candidates = DescribeCandidates();
        CandidateDescription[] fresh = [.. candidates.Where(c => !_announcedAddresses.Contains(c.Address!))];
        _announcedAddresses = [.. candidates.Select(c => c.Address!)];
        foreach (SignallingSession session in _sessions)
        {
            if (session.State == SignallingState.Registered)
            {
                SendUpdate(session, candidates, now);
            }
        }

        if (fresh.Length > 0)
        {
            TellPeers(fresh, nat: null);
        }
    }

    /// <summary>
    /// The calls whose peers hear what is new: those in need first, then the youngest, which the server still knows. Not all of a thousand at once: the
    /// server closes a node that says too much, and after the next registration it would be as much again.
    /// </summary>
    private IEnumerable<NodeCall> CallsToTell() => _calls.All
        .Where(c => c.Agent.State is not (CallState.Closing or CallState.Ended))
        .OrderBy(c => c.Agent.State == CallState.Connected)
        .ThenByDescending(c => c.StartedAt)
        .Take(MaxCallsToTell);

    /// <summary>Tells the peers of the calls under way something new about this node.</summary>
    private void TellPeers(CandidateDescription[] candidates, NatDescription? nat)
    {
        IEnumerable<(int Session, CallId Call)> underWay = CallsToTell()
            .Select(c => (c.Session, c.Agent.Id))
            .Concat(_dials.All.Select(d => (d.Session, d.Id)));
        foreach ((int session, CallId call) in underWay)
        {
            if (IsRegistered(session))
            {
                _signals.Enqueue((session, new CandidatesMessage { Call = call.ToString(), Candidates = candidates, Nat = nat }));
            }
        }
    }
}
