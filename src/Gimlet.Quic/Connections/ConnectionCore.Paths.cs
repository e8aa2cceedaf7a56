using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <content>Paths: what may come from where, validation, probing, migration (RFC 9000 sections 8.2 and 9, docs/protocol.md section 5).</content>
internal sealed partial class ConnectionCore
{
    // As many as there are connection ids for. A peer that keeps coming from new addresses takes the place of its own older ones.
    private const int MaxPaths = LocalParameters.ActiveConnectionIdLimit;

    // Of three challenges with their answers all are lost in one of eight validations at 30 % loss; five in a row are no accident. A peer that never answers
    // but goes on sending would be asked for ever.
    private const int MaxValidationRetries = 5;

    // The doubling timeout of challenges to a path that was given up stops here: three full-size datagrams in that time are nothing even for a path that
    // stays dead, and longer pauses would hide its return from an owner that has no checks of its own.
    private const int MostShifted = 10;
    private static readonly TimeSpan MaxAbandonedTimeout = TimeSpan.FromSeconds(30);

    private readonly List<ConnectionPath> _paths = new(capacity: 1);
    private readonly RecoverySettings _recoverySettings = RecoverySettings.Default;
    private ConnectionPath _current;
    private ConnectionPath? _previous;
    private ConnectionPath? _migratingTo;
    private int _maxUdpPayload;

    /// <summary>Probes a path and moves to it once it is validated (RFC 9000 section 9.2). A client's, after confirmation.</summary>
    /// <returns>False when it is not permitted, or no connection id is left for the path.</returns>
    public bool TryMigrate(TimeSpan now, PathId path)
    {
        // RFC 9000 section 9: "An endpoint MUST NOT initiate connection migration before the handshake is confirmed"; a server never does; and the peer can
        // forbid it (disable_active_migration).
        if (_phase != ClosePhase.Open || Role != EndpointRole.Client || !IsConfirmed || PeerParameters!.DisableActiveMigration || path == _current.Id)
        {
            return false;
        }

        ConnectionPath? target = TryFindPath(path) ?? TryAddOwnPath(now, path);
        if (target is null)
        {
            return false;
        }

        _migratingTo = target;
        StartValidation(now, target);
        return true;
    }

    /// <summary>The path is gone: what was sent there counts as lost, and the best other path takes over.</summary>
    public void RemovePath(TimeSpan now, PathId path)
    {
        ConnectionPath? gone = TryFindPath(path);
        _pathAfterHandshake = _pathAfterHandshake == path ? null : _pathAfterHandshake;
        if (gone is null || _paths.Count == 1)
        {
            return;
        }

        _eventTime = now;

        if (gone == _current)
        {
            MoveTo(now, BestOther(gone));
        }

        Forget(now, gone);
    }

    private ConnectionPath AddPath(PathId id, bool isOurs, bool isLifted)
    {
        var path = new ConnectionPath(
            new PathRecovery(_recoverySettings, id, _settings.InitialUdpPayload, _settings.Ecn),
            new AntiAmplification(isLifted),
            new PathValidation(_random),
            new MtuDiscovery(_settings.InitialUdpPayload, _settings.MaxUdpPayload))
        {
            IsOurs = isOurs,
        };
        if (_maxUdpPayload > 0)
        {
            path.Mtu.SetMaximum(_maxUdpPayload);
        }

        _paths.Add(path);
        _loss.AddPath(path.Recovery);
        return path;
    }

    /// <summary>The system refused a datagram on a path as too large (EMSGSIZE): nothing of that size is tried there again.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="path">Which way.</param>
    /// <param name="size">The UDP payload in bytes.</param>
    public void HandleTooLarge(TimeSpan now, PathId path, int size)
    {
        _eventTime = now;
        if (TryFindPath(path) is { } narrow && narrow.Mtu.OnTooLarge(size))
        {
            UpdateDatagramSize(narrow);
        }
    }

    private ConnectionPath? TryAddOwnPath(TimeSpan now, PathId id)
    {
        // Room is what was left longest ago. An id is not free at once with its path: the peer gives another one when it hears of that.
        if (TryFindPath(id) is null && _paths.Count >= MaxPaths && !TryMakeRoom(now))
        {
            return null;
        }

        // RFC 9000 section 9.5: an id of its own for each path.
        return _remoteIds.TryAssign(id) ? TryFindPath(id) ?? AddPath(id, isOurs: true, isLifted: true) : null;
    }

    private ConnectionPath? TryFindPath(PathId id)
    {
        foreach (ConnectionPath path in _paths)
        {
            if (path.Id == id)
            {
                return path;
            }
        }

        return null;
    }

    // RFC 9000 section 9: "If a client receives packets from an unknown server address, the client MUST discard these packets." A server waits with new
    // addresses until the handshake is confirmed. Nodes do neither: either side's first flight may come another way than the client's Initial, and before the
    // server's parameters are there it may turn out to be a node (docs/protocol.md section 5).
    private bool MayComeFrom(PathId path) =>
        TryFindPath(path) is not null || HasGimletPaths || (_settings.GimletPaths && PeerParameters is null) || (Role == EndpointRole.Server && IsConfirmed);

    // An authentic 1-RTT packet came; from a new path only now is there state for it.
    private ConnectionPath? PathOf(in Arrival arrival)
    {
        ConnectionPath? path = TryFindPath(arrival.Path);
        if (path is null && (_paths.Count < MaxPaths || TryMakeRoom(arrival.Now)))
        {
            path = AddPath(arrival.Path, isOurs: false, isLifted: false);
            path.OnReceived(arrival.DatagramLength);

            // RFC 9000 section 9.5: an id of its own for each path from the first answer on, where the peer gave enough.
            _ = _remoteIds.TryAssign(arrival.Path);
        }

        return path;
    }

    private bool TryMakeRoom(TimeSpan now)
    {
        ConnectionPath? least = null;
        foreach (ConnectionPath path in _paths)
        {
            // The oldest; but those that only came up before those that their owner chose: whoever replays packets from many addresses makes many.
            if (path != _current && path != _previous && path != _migratingTo && (least is null || (least.IsOurs && !path.IsOurs)))
            {
                least = path;
            }
        }

        if (least is null)
        {
            return false;
        }

        Forget(now, least);
        return true;
    }

    private void Forget(TimeSpan now, ConnectionPath path)
    {
        _paths.Remove(path);
        _loss.RemovePath(now, path.Id);
        _remoteIds.Release(path.Id);
        _previous = _previous == path ? null : _previous;
        _migratingTo = _migratingTo == path ? null : _migratingTo;
        _copyPath = _copyPath == path ? null : _copyPath;
        _ackPath = _ackPath == path ? null : _ackPath;
    }

    private void OnPacketFrom(TimeSpan now, ConnectionPath path, bool isProbing, bool isAckEliciting, bool isNewest)
    {
        path.IsHeard = true;
        if (HasGimletPaths)
        {
            // The owner of the paths decides.
            if (isNewest && isAckEliciting && !isProbing)
            {
                NotePeerPath(now, path);
            }

            return;
        }

        // RFC 9000 section 9.3: "An endpoint only changes the address to which it sends packets in response to the highest-numbered non-probing packet."
        if (path == _current || isProbing || !isNewest || Role != EndpointRole.Server)
        {
            return;
        }

        Counters.Migrations++;

        ConnectionPath before = _current;
        MoveTo(now, path);
        if (!path.IsValidated && !path.Validation.IsRunning)
        {
            StartValidation(now, path);
        }

        // RFC 9000 section 9.3.3: whoever forwards our peer's packets faster than the network can make it look like a migration: "the endpoint MUST
        // validate the previously active path using a PATH_CHALLENGE frame."
        if (!before.Validation.IsRunning)
        {
            StartValidation(now, before);
        }
    }

    private void MoveTo(TimeSpan now, ConnectionPath path)
    {
        if (_current.IsValidated)
        {
            _previous = _current;
        }

        // RFC 9000 section 9.5: another id for another path, where the peer gave one; otherwise the one in use goes along.
        if (!_remoteIds.TryAssign(path.Id))
        {
            _remoteIds.Hand(_current.Id, path.Id);
        }

        _current = path;
        _peerMovedTo = null;
        _peerBackSince = null;
        _peerHereAt = null;
        _movedAt = now;
        _trace?.PathUpdated(now, path.Id, TracePathState.MigrationComplete);
        Tell(ConnectionEventKind.PathChanged, path.Id);

        // The oldest that is not in use makes room before room is needed: its connection id goes back to the peer, which gives another one.
        if (_paths.Count == MaxPaths)
        {
            _ = TryMakeRoom(now);
        }
    }

    private void StartValidation(TimeSpan now, ConnectionPath path)
    {
        // RFC 9000 section 8.2.4: "a value of three times the larger of the current PTO or the PTO for the new path (using kInitialRtt, as defined in
        // [QUIC-RECOVERY]) is RECOMMENDED."
        TimeSpan current = _current.Recovery.PtoPeriod(_application.Number, _loss.PeerMaxAckDelay);

        // smoothed_rtt and four times rttvar, which is half of it: three times kInitialRtt, however well the path was known before.
        TimeSpan fresh = (_recoverySettings.InitialRtt * 3) + _loss.PeerMaxAckDelay;
        path.IsResultTold = false;
        path.IsHeard = false;
        _trace?.PathUpdated(now, path.Id, TracePathState.ProbingStarted);
        TimeSpan timeout = (current > fresh ? current : fresh) * 3;

        // A path that its owner gave up is asked ever less often.
        timeout *= path.IsAbandoned ? 1 << Math.Min(path.Retries, MostShifted) : 1;
        path.Validation.Start(now, timeout < MaxAbandonedTimeout || !path.IsAbandoned ? timeout : MaxAbandonedTimeout);
    }

    // A challenge was answered, or the time for that is over.
    private void OnPathProgress(TimeSpan now, ConnectionPath path)
    {
        if (path.Validation.IsValidated && !path.IsValidated)
        {
            path.IsValidated = true;
            path.Lift();
        }

        if (path.IsResultTold)
        {
            return;
        }

        if (path.Validation.IsFullSizeProven)
        {
            path.IsResultTold = true;
            path.IsValidated = true;
            path.IsAbandoned = false;
            _trace?.PathUpdated(now, path.Id, TracePathState.ProbingSuccessful);
            Tell(ConnectionEventKind.PathValidated, path.Id);
            if (path == _migratingTo)
            {
                _migratingTo = null;
                Counters.Migrations++;
                MoveTo(now, path);
            }
        }
        else if (path.Validation.HasFailed)
        {
            path.IsResultTold = true;
            path.IsValidated = false;
            OnPathFailed(now, path);
        }
    }

    private void OnPathFailed(TimeSpan now, ConnectionPath path)
    {
        if (path.IsAbandoned)
        {
            // It may come back; three challenges per timeout find out.
            path.Retries++;
            StartValidation(now, path);
            return;
        }

        bool isOtherSure = _previous is { IsValidated: true, Validation.IsRunning: false };
        if (path == _current && path.IsHeard && !HasGimletPaths && !isOtherSure && path.Retries < MaxValidationRetries)
        {
            path.Retries++;

            // The peer's packets come from there, and there is no other that is sure: nothing may be wrong but the
            // network. RFC 9000 section 8.2.1 lets challenges be repeated; what goes out meanwhile stays within three times what came.
            StartValidation(now, path);
            return;
        }

        _trace?.PathUpdated(now, path.Id, TracePathState.ProbingAbandoned);
        Tell(ConnectionEventKind.PathFailed, path.Id);
        if (path == _current)
        {
            ConnectionPath? other = _previous is { IsValidated: true } ? _previous : null;
            if (other is null)
            {
                // RFC 9000 section 9.3.2: "If an endpoint has no state about the last validated peer address, it MUST close the connection silently by
                // discarding all connection state." Between nodes the owner of the paths has others.
                if (!HasGimletPaths)
                {
                    Finish(new CloseReason(CloseKind.LocalTransport, (long)TransportErrorCode.NoViablePath, default, "the peer's new address does not answer"));
                }

                return;
            }

            MoveTo(now, other);
        }

        if (_phase == ClosePhase.Open && path != _current)
        {
            Forget(now, path);
        }
    }

    private ConnectionPath BestOther(ConnectionPath than)
    {
        ConnectionPath? best = null;
        foreach (ConnectionPath path in _paths)
        {
            if (path != than && (best is null || (path.IsValidated && !best.IsValidated) || path == _previous))
            {
                best = path;
            }
        }

        return best!;
    }
}
