using Gimlet.Node;
using Gimlet.Sockets;

namespace Gimlet.Peers;

/// <summary>
/// Which path the connections with each peer use, and when another direct path is looked for (docs/connections.md, "The choice of path"). Sans-IO: it hears
/// the core's news, gives it calls to make, and tells its host by <see cref="PollEvent"/>. Not thread-safe: the host's lock covers it with the core.
/// </summary>
internal sealed partial class PeerTable
{
    // Field notes: re-punch "not more than every 5 s unless candidates change". Two seconds, because after a change of network the second try is the one that
    // knows the new public address.
    private static readonly TimeSpan AttemptSpacing = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromMinutes(10);

    // The smaller id begins after a loss; the larger one goes ahead when nothing came for this long.
    private static readonly TimeSpan LargerIdWaits = TimeSpan.FromSeconds(1);

    // Two agents that both work are one too many; until then a better path has shown itself.
    private static readonly TimeSpan RedundantAfter = TimeSpan.FromSeconds(2);

    // Paths outlive the last connection for a moment: the next one to the same peer is direct at once.
    private static readonly TimeSpan IdleLinger = TimeSpan.FromSeconds(10);

    // QUIC silent twice within this on one path, although its checks pass: full-size datagrams do not get through.
    private static readonly TimeSpan SilenceMemory = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxSilencePause = TimeSpan.FromSeconds(60);

    private readonly NodeCore _core;
    private readonly Dictionary<PeerId, PeerState> _peers = [];
    private readonly Dictionary<CallId, PeerState> _byHandle = [];
    private readonly Queue<PeerEvent> _events = new();

    public PeerTable(NodeCore core)
    {
        _core = core;
        core.IsDialling = IsDialling;
        core.HasConnection = id => _peers.TryGetValue(id, out PeerState? peer) && peer.Connections > 0;
    }

    /// <summary>Peers that matter at the moment.</summary>
    public int Count => _peers.Count;

    /// <summary>Calls whose peer is remembered.</summary>
    public int CallCount => _byHandle.Count;

    public TimeSpan NextTimeout
    {
        get
        {
            TimeSpan next = TimeSpan.MaxValue;
            foreach (PeerState peer in _peers.Values)
            {
                TimeSpan due = DueOf(peer);
                next = due < next ? due : next;
            }

            return next;
        }
    }

    public bool PollEvent(out PeerEvent? news) => _events.TryDequeue(out news);

    /// <summary>A dial of the peer is about to begin: what is kept for the peer's sake stays until it is forgotten.</summary>
    public void Touch(PeerId id, TimeSpan now) => GetOrAdd(id, now).IdleSince = now;

    /// <summary>A dial begins.</summary>
    /// <param name="request">Whom, and for what.</param>
    /// <param name="now">The time.</param>
    /// <returns>False when the peer's own dial for that protocol is under way: its connection is the one to wait for.</returns>
    public bool TryBeginDial(DialRequest request, TimeSpan now)
    {
        // A dial that waits for the peer's is none that the peer's could collide with.
        PeerState peer = GetOrAdd(request.Peer, now);
        if (peer.Expected.Exists(e => e.Protocol == request.Protocol))
        {
            return false;
        }

        SendDial(peer, request, now);
        return true;
    }

    /// <summary>A dial that waited for the peer's connection waits no longer, and calls itself.</summary>
    public void DialAfterAll(DialRequest request, TimeSpan now)
    {
        PeerState peer = GetOrAdd(request.Peer, now);
        while (peer.Expected.FindIndex(e => e.Protocol == request.Protocol) is >= 0 and int late)
        {
            peer.Late.Add(peer.Expected[late]);
            EndExpected(peer, late, now);
        }

        SendDial(peer, request, now);
    }

    /// <summary>A dial is over.</summary>
    /// <param name="call">Its call.</param>
    /// <param name="isConnected">The call has become a connection. Otherwise it was given up, or the peer's connection took its place, and the peer waits for nothing.</param>
    /// <param name="now">The time.</param>
    public void EndDial(CallId call, bool isConnected, TimeSpan now)
    {
        if (!_byHandle.TryGetValue(call, out PeerState? peer))
        {
            return;
        }

        _ = peer.Dials.Remove(call);
        if (!isConnected)
        {
            _core.GiveUp(call, now);
            if (peer.IsIdle)
            {
                _core.Hangup(call, 0, now);
                Forget(peer, call);
            }
            else
            {
                // What its checks have found, or are about to find, is the other connections' as well, and the other dials'.
                ForgetUnused(peer, call);
            }
        }
        else
        {
            ForgetUnused(peer, call);
        }

        NoteIdle(peer, now);
    }

    /// <summary>A dial of the peer for the protocol was accepted, and is not a connection yet.</summary>
    public bool IsExpected(PeerId id, string protocol) => _peers.TryGetValue(id, out PeerState? peer) && peer.Expected.Exists(e => e.Protocol == protocol);

    /// <summary>Every dial of the peer that was accepted, and is not a connection yet, looks for a direct path: whichever begins now, it wants one.</summary>
    public bool AreExpectedDirect(PeerId id) => _peers.TryGetValue(id, out PeerState? peer) && peer.Expected.Count > 0 && peer.Expected.TrueForAll(static e => e.LooksForPaths);

    /// <summary>The dial of the peer for the protocol that becomes a connection next looks for a direct path.</summary>
    public bool IsExpectedDirect(PeerId id, string protocol) =>
        _peers.TryGetValue(id, out PeerState? peer) && peer.Expected.Find(e => e.Protocol == protocol || e.Protocol.Length == 0).LooksForPaths;

    /// <summary>This node has called the peer for the protocol, and nothing has come of it yet.</summary>
    public bool IsCalling(PeerId id, string protocol) => _peers.TryGetValue(id, out PeerState? peer) && peer.Dials.ContainsValue(protocol);

    /// <summary>What the peer begins for the protocol comes of a dial that this side rejected with <c>glare</c>; asked once.</summary>
    public bool TakeGlare(PeerId id, string protocol) => _peers.TryGetValue(id, out PeerState? peer) && peer.Glared.Remove(protocol);

    /// <summary>There is one more connection with the peer.</summary>
    /// <returns>The peer's call that led to it, where it was one of the peer's and was still waited for.</returns>
    public CallId? AddConnection(PeerId id, string protocol, bool isIncoming, bool allowsDirect, TimeSpan now)
    {
        PeerState peer = GetOrAdd(id, now);
        peer.Connections++;
        peer.DirectConnections += allowsDirect ? 1 : 0;
        if (!isIncoming)
        {
            return null;
        }

        (List<ExpectedDial> dials, int at) = Find(peer, protocol);
        if (at < 0)
        {
            return null;
        }

        ExpectedDial dial = dials[at];
        dials.RemoveAt(at);
        if (dials == peer.Late)
        {
            // It was said to have come to nothing.
            return null;
        }

        NoteExpected(peer);
        if (dial.Protocol.Length == 0)
        {
            // Of a serverless call each side knows its own handle only. Its check may be unanswered still, and is no stranger's then.
            return null;
        }

        ForgetUnused(peer, dial.Call);
        return dial.Call;
    }

    /// <summary>A connection with the peer has ended.</summary>
    public void RemoveConnection(PeerId id, bool allowsDirect, TimeSpan now)
    {
        if (_peers.TryGetValue(id, out PeerState? peer))
        {
            peer.Connections--;
            peer.DirectConnections -= allowsDirect ? 1 : 0;
            NoteIdle(peer, now);
        }
    }

    /// <summary>The direct path to the peer; null for the relay.</summary>
    public PathInfo? DirectPathOf(PeerId id) => _peers.TryGetValue(id, out PeerState? peer) ? peer.Chosen?.Path : null;

    /// <summary>Where the checks of a direct path come to on this side; empty for the relay, and where none has come.</summary>
    public TransportAddress LocalOf(PeerId id, TransportAddress remote)
    {
        if (!remote.IsEmpty && _peers.TryGetValue(id, out PeerState? peer))
        {
            foreach (PeerAgent agent in peer.Agents.Values)
            {
                if (agent.Path is { } path && path.Remote == remote)
                {
                    return path.Local;
                }
            }
        }

        return default;
    }

    /// <summary>A connection does without a direct path from now on.</summary>
    public void LeaveDirect(PeerId id, TimeSpan now)
    {
        if (_peers.TryGetValue(id, out PeerState? peer) && --peer.DirectConnections == 0)
        {
            peer.NextAttempt = TimeSpan.MaxValue;
            foreach (CallId handle in peer.Agents.Keys.ToArray())
            {
                _core.Hangup(handle, 0, now);
            }
        }
    }

    /// <summary>Some connection has nothing but the relay.</summary>
    public bool IsRelayMissed => _peers.Values.Any(static p => p.Connections > 0 && p.Chosen is not { IsHealthy: true });

    /// <summary>Why connections with the peer use the relay.</summary>
    public RelayVerdict Explain(PeerId id)
    {
        if (!_peers.TryGetValue(id, out PeerState? peer))
        {
            return new RelayVerdict(RelayCause.StillTrying, RelayEvidence.None);
        }

        RelayEvidence evidence = peer.LastVerdict?.Evidence ?? RelayEvidence.None;
        return peer.Chosen is not null ? RelayVerdict.NotRelayed
            : peer.Punching.Count > 0 || peer.Dials.Count > 0 ? new RelayVerdict(RelayCause.StillTrying, evidence)
            : peer.LastVerdict ?? new RelayVerdict(peer.HasLostPath ? RelayCause.PathDied : RelayCause.StillTrying, evidence);
    }

    /// <summary>What the checks of the calls with a peer have shown.</summary>
    public IReadOnlyList<CandidateCheck> ChecksWith(PeerId id) => _core.ChecksWith(id) is { Count: > 0 } now ? now
        : _peers.TryGetValue(id, out PeerState? peer) ? peer.LastChecks : [];

    /// <summary>QUIC hears nothing any more on the path in use.</summary>
    /// <param name="id">The peer.</param>
    /// <param name="remote">The path; empty for the relay.</param>
    /// <param name="now">The time.</param>
    public void HandleSilence(PeerId id, TransportAddress remote, TimeSpan now)
    {
        if (remote.IsEmpty || !_peers.TryGetValue(id, out PeerState? peer) || peer.Chosen is not { Path: { } path } chosen || path.Remote != remote)
        {
            return;
        }

        // The memory begins when the path may be used again: a pause that is longer than it is not forgiven by itself.
        peer.Silences = peer.SilenceEndsAt is { } end && now - end < SilenceMemory ? peer.Silences + 1 : 0;
        peer.SilenceEndsAt = now;
        if (peer.Silences > 0)
        {
            TimeSpan pause = TimeSpan.FromSeconds(1 << Math.Min(peer.Silences - 1, 6));
            peer.DirectNotBefore = now + (pause < MaxSilencePause ? pause : MaxSilencePause);
            peer.SilenceEndsAt = peer.DirectNotBefore;
        }

        Doubt(peer, chosen, now);
        Choose(peer, "the direct path does not answer", now);
    }

    /// <summary>The peer's newest authentic data came another way than ours goes.</summary>
    /// <param name="id">The peer.</param>
    /// <param name="remote">Where it came from; empty for the relay.</param>
    /// <param name="now">The time.</param>
    public void HandlePeerMoved(PeerId id, TransportAddress remote, TimeSpan now)
    {
        if (!_peers.TryGetValue(id, out PeerState? peer))
        {
            return;
        }

        if (remote.IsEmpty)
        {
            // QUIC tells of a move only when the peer was there, or has had the time to come (ConnectionCore.HasLeft).
            if (peer.Chosen is { } left)
            {
                Doubt(peer, left, now);
                Choose(peer, "the peer has left the direct path", now);
            }

            return;
        }

        foreach (PeerAgent agent in peer.Agents.Values)
        {
            if (agent.Path?.Remote == remote && agent.IsHealthy)
            {
                peer.DirectNotBefore = TimeSpan.Zero;
                Choose(peer, "the peer uses it", now);
                return;
            }
        }

        // A NAT gave the peer another address, or it has moved: the old one is as doubtful as the new one is unproven.
        foreach (PeerAgent agent in peer.Agents.Values)
        {
            _core.Probe(agent.Handle, remote, now);
        }
    }

    /// <summary>This machine's addresses have changed: no path is sure any more.</summary>
    public void HandleNetworkChange(TimeSpan now)
    {
        foreach (PeerState peer in _peers.Values)
        {
            foreach (PeerAgent agent in peer.Agents.Values)
            {
                if (agent.IsHealthy)
                {
                    Doubt(peer, agent, now);
                }
            }

            peer.DirectNotBefore = TimeSpan.Zero;
            peer.FailedNats = default;
            peer.Backoff = TimeSpan.Zero;
            Choose(peer, "this machine's network has changed", now);
            AttemptSoon(peer, now);
        }
    }

    public void HandleTimeout(TimeSpan now)
    {
        List<PeerState>? idle = null;
        foreach (PeerState peer in _peers.Values)
        {
            if (now < DueOf(peer))
            {
                continue;
            }

            _ = peer.Late.RemoveAll(e => now >= e.Until + LateFor);
            while (peer.Expected.FindIndex(e => now >= e.Until) is >= 0 and int late)
            {
                peer.Late.Add(peer.Expected[late]);
                EndExpected(peer, late, now);
            }

            RemoveRedundant(peer, now);
            if (peer.DirectNotBefore != TimeSpan.Zero && now >= peer.DirectNotBefore)
            {
                peer.DirectNotBefore = TimeSpan.Zero;
                Choose(peer, "the direct path is tried again", now);
            }

            if (now >= peer.NextAttempt)
            {
                Attempt(peer, now);
            }

            if (peer.IsIdle && now - peer.IdleSince >= IdleLinger)
            {
                (idle ??= []).Add(peer);
            }
        }

        foreach (PeerState peer in idle ?? [])
        {
            Remove(peer, now);
        }
    }

    private static TimeSpan DueOf(PeerState peer)
    {
        TimeSpan due = peer.NextAttempt;
        due = peer.IsIdle ? Min(due, peer.IdleSince + IdleLinger) : due;
        due = peer.DirectNotBefore > TimeSpan.Zero ? Min(due, peer.DirectNotBefore) : due;
        foreach (ExpectedDial expected in peer.Expected)
        {
            due = Min(due, expected.Until);
        }

        foreach (ExpectedDial late in peer.Late)
        {
            due = Min(due, late.Until + LateFor);
        }

        foreach (PeerAgent agent in peer.Agents.Values)
        {
            due = agent.RedundantSince is { } since ? Min(due, since + RedundantAfter) : due;
        }

        return due;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static void NoteIdle(PeerState peer, TimeSpan now)
    {
        if (peer.IsIdle)
        {
            peer.IdleSince = Max(peer.IdleSince, now);
        }
    }

    // Asked by the core when it would reject a call with glare, and does so where the answer is yes.
    private bool IsDialling(PeerId id, string protocol)
    {
        bool isDialling = IsCalling(id, protocol);
        if (isDialling)
        {
            _ = _peers[id].Glared.Add(protocol);
        }

        return isDialling;
    }

    private PeerState GetOrAdd(PeerId id, TimeSpan now)
    {
        if (!_peers.TryGetValue(id, out PeerState? peer))
        {
            peer = new PeerState(id) { IdleSince = now };
            _peers.Add(id, peer);
        }

        return peer;
    }

    private void SendDial(PeerState peer, DialRequest request, TimeSpan now)
    {
        peer.Dials[request.Call] = request.Protocol!;
        _byHandle[request.Call] = peer;

        // A path that works need not be looked for again.
        bool hasPath = request.WantsPaths && peer.Chosen is not null;
        peer.LastAttempt = request.WantsPaths && !hasPath ? now : peer.LastAttempt;
        _core.Dial(request with { HasPath = hasPath }, now);
    }

    /// <summary>The path's own checks find out, beginning now.</summary>
    private void Doubt(PeerState peer, PeerAgent agent, TimeSpan now)
    {
        agent.IsSuspect = true;
        _core.Doubt(agent.Handle, now);
        if (_core.Id < peer.Id)
        {
            AttemptSoon(peer, now);
        }
        else
        {
            peer.NextAttempt = Min(peer.NextAttempt, now + LargerIdWaits);
        }
    }

    private static void AttemptSoon(PeerState peer, TimeSpan now)
    {
        if (peer.DirectConnections > 0)
        {
            peer.NextAttempt = Min(peer.NextAttempt, peer.LastAttempt is { } last ? Max(now, last + AttemptSpacing) : now);
        }
    }

    private void Attempt(PeerState peer, TimeSpan now)
    {
        peer.NextAttempt = TimeSpan.MaxValue;
        if (peer.DirectConnections == 0 || peer.Agents.Values.Any(static a => a.IsHealthy))
        {
            return;
        }

        if (peer.Punching.Count > 0)
        {
            // What is new goes to the call under way; when that has failed, the next one is due.
            peer.NextAttempt = now + AttemptSpacing;
            return;
        }

        if (!_core.IsAnyRegistered)
        {
            // The registration that is to come makes up for it.
            return;
        }

        peer.LastAttempt = now;
        CallId call = _core.NewCallId();
        _byHandle[call] = peer;
        _core.Dial(new DialRequest(call, peer.Id), now);
    }

    private void Choose(PeerState peer, string reason, TimeSpan now)
    {
        PeerAgent? best = null;
        if (now >= peer.DirectNotBefore)
        {
            foreach (PeerAgent agent in peer.Agents.Values)
            {
                best = agent.IsHealthy && (best is null || IsBetter(agent, best, peer.Chosen)) ? agent : best;
            }
        }

        foreach (PeerAgent agent in peer.Agents.Values)
        {
            agent.RedundantSince = best is null || agent == best ? null : agent.RedundantSince ?? now;
        }

        PeerAgent? before = peer.Chosen;
        if (best == before || (best is null && !_core.CanRelay))
        {
            return;
        }

        peer.Chosen = best;
        _events.Enqueue(new PathChosen(peer.Id, best?.Path, LeftSilent: before is { IsHealthy: false }, reason));
    }

    // The one in use stays unless another is clearly faster; a younger call knows newer addresses.
    private static bool IsBetter(PeerAgent challenger, PeerAgent best, PeerAgent? chosen)
    {
        TimeSpan hysteresis = TimeSpan.FromMilliseconds(5);
        TimeSpan gain = best.Path!.Value.RoundTripTime - challenger.Path!.Value.RoundTripTime;
        return best == chosen ? gain > hysteresis : challenger == chosen ? gain > -hysteresis : gain > TimeSpan.Zero;
    }

    private void RemoveRedundant(PeerState peer, TimeSpan now)
    {
        foreach (PeerAgent agent in peer.Agents.Values.ToArray())
        {
            // One side only, or each might end the other's choice.
            if (agent.RedundantSince is { } since && now - since >= RedundantAfter)
            {
                agent.RedundantSince = null;
                if (_core.Id < peer.Id || !agent.IsHealthy)
                {
                    _core.Hangup(agent.Handle, 0, now);
                }
            }
        }
    }

    private void Forget(PeerState peer, CallId handle)
    {
        _ = _byHandle.Remove(handle);
        EndSearch(peer, handle);
        if (peer.Agents.Remove(handle, out PeerAgent? gone) && peer.Chosen == gone)
        {
            peer.Chosen = null;
        }
    }

    // A call is remembered while anything may still be told of it: a dial, its introduction, its checks or the path that they found, the peer's connection. Peers
    // make calls as they like, and the peer itself is remembered for as long as there is a connection with it.
    private void ForgetUnused(PeerState peer, CallId handle)
    {
        if (!peer.Punching.Contains(handle)
            && !peer.Agents.ContainsKey(handle)
            && !peer.Dials.ContainsKey(handle)
            && !peer.Expected.Exists(e => e.Call == handle)
            && !_core.IsPending(handle))
        {
            _ = _byHandle.Remove(handle);
        }
    }

    private void Remove(PeerState peer, TimeSpan now)
    {
        foreach (CallId handle in peer.Agents.Keys.ToArray())
        {
            _core.Hangup(handle, 0, now);
            Forget(peer, handle);
        }

        foreach ((CallId handle, _) in _byHandle.Where(p => p.Value == peer).ToArray())
        {
            _ = _byHandle.Remove(handle);
        }

        _ = _peers.Remove(peer.Id);
        _events.Enqueue(new PeerForgotten(peer.Id));
    }
}
