using Gimlet.Calls;
using Gimlet.Node;

namespace Gimlet.Peers;

/// <content>What the core tells, and what follows from it.</content>
internal sealed partial class PeerTable
{
    /// <summary>News of the core.</summary>
    public void Handle(NodeEvent news, TimeSpan now)
    {
        switch (news)
        {
            case CallAdmitted admitted:
                HandleAdmitted(admitted, now);
                break;
            case CallIntroduced introduced:
                PeerState introducedTo = GetOrAdd(introduced.Peer, now);
                _byHandle[introduced.Handle] = introducedTo;
                _ = introducedTo.Punching.Add(introduced.Handle);
                break;
            case CallSharesPath shares when _byHandle.TryGetValue(shares.Handle, out PeerState? sharing) && sharing.Chosen is null:
                // It died while the call was on its way, and the peer was told no address to look for another one with.
                _events.Enqueue(new PunchEnded(sharing.Id, shares.Handle, PunchOutcome.Failed, TimeSpan.Zero, "The direct path died while the call was on its way."));
                break;
            case CallHeard { IsServerless: true } heard when !_byHandle.ContainsKey(heard.Handle):
                // No server announced it: its peer has proven itself by this check, and one of the two will dial at once.
                PeerState met = GetOrAdd(heard.Peer, now);
                _byHandle[heard.Handle] = met;
                met.Expected.Add(new ExpectedDial(heard.Handle, string.Empty, now + ExpectedFor, Session: -1));
                NoteExpected(met);
                break;
            case CallConnected connected:
                HandleConnected(connected, now);
                break;
            case CallPathChanged changed:
                Update(changed.Handle, agent => (agent.Path, agent.IsSuspect) = (changed.Path, false), changed.Reason, now);
                break;
            case CallPathSuspect suspect:
                HandleSuspect(suspect, now);
                break;
            case CallPathRecovered recovered:
                HandleRecovered(recovered, now);
                break;
            case CallPathLost lost:
                Update(lost.Handle, static agent => agent.Path = null, "the direct path is dead", now);
                break;
            case CallClosed closed:
                HandleEnd(closed.Handle, closed.End == CallEnd.ClosedByPeer ? "the peer has given up the direct path" : "the direct path is dead", now);
                break;
            case CallFailed failed:
                HandleFailed(failed, now);
                break;
            case CallHungUp hungUp:
                HandleHungUp(hungUp, now);
                break;
            case CallGlared glared when _byHandle.TryGetValue(glared.Handle, out PeerState? peer):
                _events.Enqueue(new DialGlared(peer.Id, glared.Handle));
                ForgetUnused(peer, glared.Handle);
                break;
            case SessionMerged merged:
                MoveExpected(merged.Session, merged.Into);
                break;
            case SessionRegistered:
                HandleRegistered(now);
                break;
            case CandidatesChanged or NatClassified:
                foreach (PeerState peer in _peers.Values.Where(static p => p.Chosen is null))
                {
                    peer.FailedNats = default;
                    AttemptSoon(peer, now);
                }

                break;
            default:
                break;
        }
    }

    private void HandleAdmitted(CallAdmitted admitted, TimeSpan now)
    {
        PeerState peer = GetOrAdd(admitted.Peer, now);
        peer.LastAttempt = now;
        if (admitted.Protocol is { } protocol)
        {
            // One that only looks for paths is remembered with its introduction: without a candidate of the caller's it has none, and no end either.
            _byHandle[admitted.Handle] = peer;
            _ = peer.Glared.Remove(protocol);

            // Told again after a WebSocket was replaced, it is the same dial.
            _ = peer.Expected.RemoveAll(e => e.Call == admitted.Handle);
            peer.Expected.Add(new ExpectedDial(admitted.Handle, protocol, now + ExpectedFor, admitted.Session) { LooksForPaths = admitted.LooksForPaths });
            NoteExpected(peer);

            // The dial of the smaller id goes on. It rejects ours, but a server that introduces at once does not wait for that, and our handshake is under way:
            // the peer's call tells the same, and comes before the handshake's answer.
            foreach ((CallId dial, string wanted) in peer.Dials)
            {
                if (wanted == protocol && peer.Id < _core.Id)
                {
                    _events.Enqueue(new DialGlared(peer.Id, dial));
                }
            }
        }

        peer.IdleSince = now;
    }

    // Only a dial that is no connection yet; and one server does not end what another one carries.
    private void HandleHungUp(CallHungUp hungUp, TimeSpan now)
    {
        if (_byHandle.TryGetValue(hungUp.Handle, out PeerState? peer)
            && peer.Expected.FindIndex(e => e.Call == hungUp.Handle && e.Session == hungUp.Session) is >= 0 and int at)
        {
            EndExpected(peer, at, now);
        }
    }

    private void HandleConnected(CallConnected connected, TimeSpan now)
    {
        // A serverless call has no other beginning.
        PeerState peer = GetOrAdd(connected.Peer, now);
        _byHandle[connected.Handle] = peer;
        var agent = new PeerAgent(connected.Handle, connected.Call, now - connected.Elapsed) { Path = connected.Path };
        peer.Agents[connected.Handle] = agent;
        peer.Backoff = TimeSpan.Zero;
        peer.LastVerdict = null;
        _ = peer.Punching.Remove(connected.Handle);
        peer.NextAttempt = TimeSpan.MaxValue;
        _events.Enqueue(new PunchEnded(peer.Id, connected.Call, PunchOutcome.Succeeded, connected.Elapsed, null));
        NoteIdle(peer, now);
        Choose(peer, "a direct path works", now);
    }

    private void HandleSuspect(CallPathSuspect suspect, TimeSpan now)
    {
        if (TryFindAgent(suspect.Handle, out PeerState? peer, out PeerAgent? agent) && !agent!.IsSuspect)
        {
            Doubt(peer!, agent, now);
            Choose(peer!, "the direct path does not answer", now);
        }
    }

    private void HandleRecovered(CallPathRecovered recovered, TimeSpan now)
    {
        if (!TryFindAgent(recovered.Handle, out PeerState? peer, out PeerAgent? agent))
        {
            return;
        }

        agent!.IsSuspect = false;
        agent.Path = recovered.Path;
        bool stayed = peer!.Chosen == agent;
        peer.NextAttempt = TimeSpan.MaxValue;
        Choose(peer, "the direct path answers again", now);
        if (stayed)
        {
            _events.Enqueue(new PathWorksAgain(peer.Id, recovered.Path));
        }
    }

    private void Update(CallId handle, Action<PeerAgent> change, string reason, TimeSpan now)
    {
        if (!TryFindAgent(handle, out PeerState? peer, out PeerAgent? agent))
        {
            return;
        }

        PathInfo? before = agent!.Path;
        change(agent);
        bool moved = peer!.Chosen == agent && agent.IsHealthy && agent.Path?.Remote != before?.Remote;
        if (moved)
        {
            _events.Enqueue(new PathChosen(peer.Id, agent.Path, LeftSilent: false, reason));
        }

        Choose(peer, reason, now);
        if (!agent.IsHealthy)
        {
            AttemptSoon(peer, now);
        }
    }

    private void HandleEnd(CallId handle, string reason, TimeSpan now)
    {
        if (!_byHandle.TryGetValue(handle, out PeerState? peer))
        {
            return;
        }

        bool was = peer.Chosen is { } chosen && chosen.Handle == handle;
        EndSearch(peer, handle);
        _ = peer.Agents.Remove(handle, out PeerAgent? gone);
        ForgetUnused(peer, handle);
        if (was)
        {
            // Choose sees the difference: the one that is gone was in use, and is not healthy.
            gone!.IsSuspect = true;
            peer.HasLostPath = true;
            Choose(peer, reason, now);
            peer.Chosen = peer.Chosen == gone ? null : peer.Chosen;
        }

        if (peer.Chosen is null)
        {
            if (_core.Id < peer.Id)
            {
                AttemptSoon(peer, now);
            }
            else
            {
                peer.NextAttempt = peer.DirectConnections > 0 ? Min(peer.NextAttempt, now + LargerIdWaits) : peer.NextAttempt;
            }
        }
    }

    private void EndSearch(PeerState peer, CallId handle)
    {
        if (peer.Punching.Remove(handle) && peer.Punching.Count == 0)
        {
            _events.Enqueue(new SearchEnded(peer.Id));
        }
    }

    private void HandleFailed(CallFailed failed, TimeSpan now)
    {
        if (!_byHandle.TryGetValue(failed.Handle, out PeerState? peer))
        {
            return;
        }

        bool isPunch = failed.Kind is GimletErrorKind.PunchFailed or GimletErrorKind.Unsupported;
        if (isPunch)
        {
            _events.Enqueue(new PunchEnded(
                peer.Id,
                failed.Handle,
                failed.Kind == GimletErrorKind.PunchFailed ? PunchOutcome.Failed : PunchOutcome.Unsupported,
                failed.Elapsed,
                failed.Message));
        }

        bool isDead = peer.Dials.ContainsKey(failed.Handle) && !failed.LeavesRelay;
        if (isDead)
        {
            _events.Enqueue(new DialFailed(peer.Id, failed.Handle, failed.Kind, failed.Message, failed.Hint));
        }

        _ = peer.Agents.Remove(failed.Handle);
        EndSearch(peer, failed.Handle);
        ForgetUnused(peer, failed.Handle);

        // What a dial was rejected for, such as its protocol, and a call that looked for no path, say nothing of direct paths.
        bool isTelling = failed.Kind == GimletErrorKind.PunchFailed || (failed.LeavesRelay ? failed.Skipped is not null : !isDead);
        if (isTelling)
        {
            peer.LastVerdict = failed.Verdict
                ?? (failed.Skipped is { } cause ? new RelayVerdict(cause, RelayEvidence.None) : peer.LastVerdict)
                ?? new RelayVerdict(RelayCause.NotIntroduced, RelayEvidence.None);
        }

        if (failed.Kind == GimletErrorKind.Unsupported || peer.Chosen is not null)
        {
            return;
        }

        peer.LastChecks = failed.Checks;
        (string? Own, string? Peer) nats = failed.Nats;
        bool isHopeless = failed.Kind == GimletErrorKind.PunchFailed && nats.Own is not null && nats == peer.FailedNats;
        peer.FailedNats = nats;

        // What the server refused, or nobody answered, may be different in a moment; what the NATs refused is not.
        TimeSpan first = isPunch ? FirstBackoff : AttemptSpacing;
        peer.Backoff = isHopeless ? MaxBackoff : peer.Backoff < first ? first : Min(peer.Backoff * 2, MaxBackoff);
        peer.NextAttempt = peer.DirectConnections > 0 || peer.Dials.Count > 0 ? now + peer.Backoff : TimeSpan.MaxValue;
    }

    private void HandleRegistered(TimeSpan now)
    {
        foreach (PeerState peer in _peers.Values)
        {
            if (peer.Chosen is { IsHealthy: false } or null)
            {
                Choose(peer, "the relay is back", now);
                AttemptSoon(peer, now);
            }

            if (peer.Chosen is null && peer.Connections > 0)
            {
                _events.Enqueue(new PathWorksAgain(peer.Id, null));
            }
        }
    }

    private bool TryFindAgent(CallId handle, out PeerState? peer, out PeerAgent? agent)
    {
        agent = null;
        return _byHandle.TryGetValue(handle, out peer) && peer.Agents.TryGetValue(handle, out agent);
    }
}
