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

    private readonly List<ConnectionPath> _paths = new(capacity: 1);
    private readonly RecoverySettings _recoverySettings = RecoverySettings.Default;
    private ConnectionPath _current;
    private ConnectionPath? _previous;
    private ConnectionPath? _migratingTo;
    private int _maxUdpPayload;

    // Frames that went out on a path that is not validated, to go out once more on the one before (docs/protocol.md section 5).
    private byte[] _duplicate = [];
    private int _duplicateLength;
    private ConnectionPath? _duplicatePath;

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

    /// <summary>
    /// Sends on a path from now on, which its owner vouches for; needs <c>gimlet_paths</c> of both sides and a complete handshake. Until
    /// it is validated, all that goes there goes out on the last validated path as well, as packets of their own.
    /// </summary>
    /// <remarks>
    /// Each path has a connection id of its own where the peer gave enough. A client that moves with completion itself is a round trip ahead of the
    /// server's ids: until they come, both paths carry the one that there is.
    /// </remarks>
    /// <returns>False when it is not permitted, or there are too many paths.</returns>
    public bool TryUsePath(TimeSpan now, PathId path)
    {
        if (_phase != ClosePhase.Open || !IsConnected || !HasGimletPaths)
        {
            return false;
        }

        if (path == _current.Id)
        {
            return true;
        }

        ConnectionPath? target = TryFindPath(path);
        if (target is null)
        {
            if (_paths.Count >= MaxPaths && !TryMakeRoom(now))
            {
                return false;
            }

            target = AddPath(path, isOurs: true, isLifted: true);
        }

        // The owner vouches: nobody named this address to us who is not the peer.
        target.Lift();
        if (!target.IsValidated && !target.Validation.IsRunning)
        {
            StartValidation(now, target);
        }

        MoveTo(now, target);
        return true;
    }

    /// <summary>The path is gone: what was sent there counts as lost, and the best other path takes over.</summary>
    public void RemovePath(TimeSpan now, PathId path)
    {
        ConnectionPath? gone = TryFindPath(path);
        if (gone is null || _paths.Count == 1)
        {
            return;
        }

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
    // addresses until the handshake is confirmed.
    private bool MayComeFrom(PathId path) => TryFindPath(path) is not null || (Role == EndpointRole.Server ? IsConfirmed : HasGimletPaths);

    // An authentic 1-RTT packet came; from a new path only now is there state for it.
    private ConnectionPath? PathOf(in Arrival arrival)
    {
        ConnectionPath? path = TryFindPath(arrival.Path);
        if (path is null && (_paths.Count < MaxPaths || TryMakeRoom(arrival.Now)))
        {
            path = AddPath(arrival.Path, isOurs: false, isLifted: HasGimletPaths);
            path.OnReceived(arrival.DatagramLength);

            // RFC 9000 section 9.5: an id of its own for each path from the first answer on, where the peer gave enough.
            _ = _remoteIds.TryAssign(arrival.Path);
        }

        return path;
    }

    private bool TryMakeRoom(TimeSpan now)
    {
        foreach (ConnectionPath path in _paths)
        {
            if (path != _current && path != _previous && path != _migratingTo)
            {
                Forget(now, path);
                return true;
            }
        }

        return false;
    }

    private void Forget(TimeSpan now, ConnectionPath path)
    {
        _paths.Remove(path);
        _loss.RemovePath(now, path.Id);
        _remoteIds.Release(path.Id);
        _previous = _previous == path ? null : _previous;
        _migratingTo = _migratingTo == path ? null : _migratingTo;
        _duplicatePath = _duplicatePath == path ? null : _duplicatePath;
    }

    private void OnPacketFrom(TimeSpan now, ConnectionPath path, bool isProbing, bool isNewest)
    {
        path.IsHeard = true;

        // RFC 9000 section 9.3: "An endpoint only changes the address to which it sends packets in response to the highest-numbered non-probing packet."
        // Between two nodes the owner of the paths decides instead.
        if (path == _current || isProbing || !isNewest || Role != EndpointRole.Server || HasGimletPaths)
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
        path.Validation.Start(now, (current > fresh ? current : fresh) * 3);
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

    // What goes to the current path goes there as well, until the current one is validated.
    private ConnectionPath? SecondPath() =>
        HasGimletPaths && !_current.IsValidated && _previous is { IsValidated: true } previous && previous != _current ? previous : null;

    private void KeepDuplicate(ConnectionPath path, ReadOnlySpan<byte> payload)
    {
        if (_duplicate.Length < payload.Length)
        {
            _duplicate = new byte[_settings.MaxUdpPayload];
        }

        payload.CopyTo(_duplicate);
        _duplicateLength = payload.Length;
        _duplicatePath = path;
    }

    private bool TryPollDuplicate(TimeSpan now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (_duplicatePath is not { } path)
        {
            return false;
        }

        _duplicatePath = null;

        // A copy is not worth more than the path bears; the original is on its way.
        if (path.Recovery.Allowance(now) < _duplicateLength || _oneRtt is not { CanSeal: true })
        {
            return false;
        }

        // The frames are still those of the original, which was written last. The header may have grown by a byte meanwhile, and the copy no longer fit.
        BeginDatagram(now, path, path.Recovery.NextEcn);
        var datagram = new DatagramBuilder(this, buffer[..Math.Min(path.Mtu.Current, buffer.Length)]);
        if (!datagram.TryBegin(_application, out WireWriter writer) || writer.Remaining < _duplicateLength)
        {
            return false;
        }

        writer.WriteBytes(_duplicate.AsSpan(0, _duplicateLength));
        datagram.Commit(writer.Position);
        int length = datagram.Finish(fullSize: 0);
        CountDatagrams(path, length, count: 1);
        transmit = new Transmit(path.Id, length, length, _writeEcn);
        return true;
    }

    // DATAGRAM frames are not for copies: their receiver would get them twice. While there are two paths, they go where the peer is known to be.
    private bool HasDatagramsFor(ConnectionPath path) => _outgoing.Count > 0 && (SecondPath() ?? path) == path;

    private bool TryPollDatagrams(TimeSpan now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (_outgoing.Count == 0 || SecondPath() is not { } path || _oneRtt is not { CanSeal: true } || path.Recovery.Allowance(now) < path.Mtu.Current)
        {
            return false;
        }

        BeginDatagram(now, path, path.Recovery.NextEcn);
        var datagram = new DatagramBuilder(this, buffer[..Math.Min(path.Mtu.Current, buffer.Length)]);
        if (!datagram.TryBegin(_application, out WireWriter writer))
        {
            return false;
        }

        _applicationFrames.Clear();
        WriteDatagrams(ref writer, _applicationFrames);
        datagram.Commit(writer.Position);
        int length = datagram.Finish(fullSize: 0);
        if (length == 0)
        {
            return false;
        }

        CountDatagrams(path, length, count: 1);
        transmit = new Transmit(path.Id, length, length, _writeEcn);
        return true;
    }

    // PATH_CHALLENGE, PATH_RESPONSE, probe timeouts of paths that are not current, and MTU probes: a datagram of its own each.
    private bool TryPollProbing(TimeSpan now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (_oneRtt is not { CanSeal: true })
        {
            return false;
        }

        foreach (ConnectionPath path in _paths)
        {
            if (path.Responses.Count > 0 || path.Validation.IsChallengeDue(now) || (path.Probes > 0 && path != _current))
            {
                if (TryWriteProbing(now, path, buffer, out transmit))
                {
                    return true;
                }
            }
        }

        // Not in front of the server's HANDSHAKE_DONE, which the client waits for.
        return IsConfirmed && !_isHandshakeDonePending && TryWriteMtuProbe(now, buffer, out transmit);
    }

    private bool TryWriteProbing(TimeSpan now, ConnectionPath path, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;

        // RFC 9000 section 8.2.1: "An endpoint MUST expand datagrams that contain a PATH_CHALLENGE frame to at least the smallest allowed maximum datagram size of
        // 1200 bytes, unless the anti-amplification limit for the path does not permit sending a datagram of this size."
        int size = (int)Math.Min(FullSize, Math.Min(buffer.Length, path.Allowance));
        bool isFullSize = size == FullSize;
        BeginDatagram(now, path, EcnCodepoint.NotEct);
        var datagram = new DatagramBuilder(this, buffer[..size]);
        if (!datagram.TryBegin(_application, out WireWriter writer))
        {
            return false;
        }

        SentFrameList sent = _applicationFrames;
        sent.Clear();
        bool mustExpand = false;
        while (path.Responses.Count > 0 && writer.Remaining >= PathResponseFrame.Length && path.Responses.TryTake(out ulong response))
        {
            _ = new PathResponseFrame(response).TryWrite(ref writer);
            sent.Add(new SentFrame(FrameType.PathResponse));
            mustExpand = true;
        }

        if (path.Validation.IsChallengeDue(now) && writer.Remaining >= PathChallengeFrame.Length)
        {
            _ = new PathChallengeFrame(path.Validation.NextChallenge(now, isFullSize)).TryWrite(ref writer);
            sent.Add(new SentFrame(FrameType.PathChallenge));
            mustExpand = true;
        }

        if (path.Probes > 0)
        {
            path.Probes--;
            if (sent.Count == 0 && PingFrame.TryWrite(ref writer))
            {
                sent.Add(new SentFrame(FrameType.Ping));
            }
        }

        datagram.Commit(writer.Position);
        int length = datagram.Finish(mustExpand && isFullSize ? FullSize : 0);
        if (length == 0)
        {
            return false;
        }

        CountDatagram(path, length);
        transmit = new Transmit(path.Id, length, length, EcnCodepoint.NotEct);
        return true;
    }

    private bool TryWriteMtuProbe(TimeSpan now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        ConnectionPath path = _current;
        if (!path.IsValidated
            || !path.Mtu.TryGetProbe(now, out int size)
            || size > buffer.Length
            || path.Recovery.Allowance(now) < size
            || path.Allowance < size)
        {
            return false;
        }

        BeginDatagram(now, path, path.Recovery.NextEcn);
        _isWritingMtuProbe = true;
        var datagram = new DatagramBuilder(this, buffer[..size]);
        if (!datagram.TryBegin(_application, out WireWriter writer))
        {
            return false;
        }

        long number = _loss.NextPacketNumber(PacketNumberSpace.Application);
        _applicationFrames.Clear();
        _ = PingFrame.TryWrite(ref writer);
        _applicationFrames.Add(new SentFrame(FrameType.Ping));
        datagram.Commit(writer.Position);
        int length = datagram.Finish(size);
        path.Mtu.OnProbeSent(now, number, size);
        CountDatagram(path, length);
        transmit = new Transmit(path.Id, length, length, _writeEcn);
        return true;
    }
}
