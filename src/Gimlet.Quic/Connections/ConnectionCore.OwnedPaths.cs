using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <content>
/// Between two nodes the owner of the paths chooses, and this reports and obeys (docs/protocol.md section 5): paths that the owner vouches for, what it
/// is told of them, and acknowledgements that return on the way the data came.
/// </content>
internal sealed partial class ConnectionCore
{
    // What a dial has in flight when the direct path is found a moment after its first data left: as much as the initial congestion window lets out.
    private const int MostCopied = 10;

    // One may be a lost acknowledgement.
    private const int PtosUntilSilent = 2;

    // A peer that alternates between paths makes its owner look at so many events per second at most, however short the round trip is.
    private static readonly TimeSpan LeastBetweenMoves = TimeSpan.FromMilliseconds(10);

    // A peer that does not follow within this stays away on purpose: its owner may have to wait for a check of its own that was lost.
    private static readonly TimeSpan LeastUntilAbsent = TimeSpan.FromSeconds(1);

    private PathId? _pathAfterHandshake;

    // The way that the newest ack-eliciting 1-RTT packet came, its number, and when.
    private ConnectionPath? _ackPath;
    private long _ackPathNumber = PacketNumber.None;
    private TimeSpan _ackPathAt;

    // The path that PeerMoved was told of last, when that was, and since when the newest packets have come on the current path again.
    private PathId? _peerMovedTo;
    private TimeSpan _peerMovedAt = TimeSpan.MinValue;
    private TimeSpan? _peerBackSince;

    // When the peer's newest packet came on the path in use last, null while none has since we moved there; and when that was.
    private TimeSpan? _peerHereAt;
    private TimeSpan? _movedAt;

    /// <summary>
    /// Sends on a path from now on, which its owner vouches for; needs <c>gimlet_paths</c> of both sides. Until it is validated, all that goes there goes
    /// out on the last validated path as well, as packets of their own. Before the handshake is complete the path is remembered, and used from the
    /// moment of completion on, first of all for the client's Finished. The path that is in use already gets a kick: its probe timeout begins afresh, and if
    /// anything is in flight a probe goes out at once.
    /// </summary>
    /// <remarks>
    /// Each path has a connection id of its own where the peer gave enough. A client that moves with completion itself is a round trip ahead of the
    /// server's ids: until they come, both paths carry the one that there is.
    /// </remarks>
    /// <returns>False when it is not permitted, or there are too many paths.</returns>
    public bool TryUsePath(TimeSpan now, PathId path)
    {
        if (!MayChoosePaths)
        {
            return false;
        }

        if (path == _current.Id)
        {
            _pathAfterHandshake = null;
            Kick(now);
            return true;
        }

        if (!IsConnected)
        {
            _pathAfterHandshake = path;
            return true;
        }

        if (FindOrAddOwned(now, path) is not { } target)
        {
            return false;
        }

        ConnectionPath before = _current;
        UseOwned(now, target);
        LeaveFlight(now, before);
        return true;
    }

    /// <summary>
    /// A path is dead, says its owner: what is in flight there counts as lost at once, which is no sign of congestion, and goes out again on another one,
    /// which is used from now on as <see cref="TryUsePath"/> does. The dead path is kept, and challenged again and again so that its return shows.
    /// </summary>
    /// <returns>False, and nothing changed, as for <see cref="TryUsePath"/>, or where both are the same.</returns>
    public bool AbandonPath(TimeSpan now, PathId path, PathId to)
    {
        if (path == to || !MayChoosePaths)
        {
            return false;
        }

        if (!IsConnected)
        {
            return TryUsePath(now, to);
        }

        if (FindOrAddOwned(now, to) is not { } target)
        {
            return false;
        }

        ConnectionPath? left = TryFindPath(path);
        if (left is not null)
        {
            // Before the move, so that it does not become the path to fall back to.
            left.IsValidated = false;
            left.IsAbandoned = true;
            left.Retries = 0;
        }

        if (target != _current)
        {
            UseOwned(now, target);
        }

        if (left is not null)
        {
            _eventTime = now;
            _loss.HandOver(now, left.Id);
            StartValidation(now, left);
        }

        return true;
    }

    // Before the peer's parameters came, it may turn out to be a node.
    private bool MayChoosePaths =>
        _phase == ClosePhase.Open && (IsConnected ? HasGimletPaths : _settings.GimletPaths && PeerParameters is null or { GimletPaths: > 0 });

    private ConnectionPath? FindOrAddOwned(TimeSpan now, PathId id)
    {
        if (TryFindPath(id) is { } known)
        {
            return known;
        }

        return _paths.Count < MaxPaths || TryMakeRoom(now) ? AddPath(id, isOurs: true, isLifted: true) : null;
    }

    private void UseOwned(TimeSpan now, ConnectionPath target)
    {
        // The owner vouches: nobody named this address to us who is not the peer.
        target.IsOurs = true;
        target.Lift();

        // The challenges to a path that was given up have long pauses.
        bool wasAbandoned = target.IsAbandoned;
        target.IsAbandoned = false;
        if (!target.IsValidated && (wasAbandoned || !target.Validation.IsRunning))
        {
            StartValidation(now, target);
        }

        target.Recovery.ResetPtoCount();
        MoveTo(now, target);
    }

    // The handshake is complete: before anything of it leaves, the client's Finished first of all.
    private void UseRememberedPath(TimeSpan now)
    {
        if (_pathAfterHandshake is { } path)
        {
            _pathAfterHandshake = null;
            if (HasGimletPaths && FindOrAddOwned(now, path) is { } target)
            {
                UseOwned(now, target);
            }
        }
    }

    private void Kick(TimeSpan now)
    {
        _eventTime = now;
        _current.Recovery.ResetPtoCount();
        KickHandshake(_initial);
        KickHandshake(_handshake);
        if (IsConnected && _loss.HasAckElicitingInFlight(PacketNumberSpace.Application))
        {
            _current.Probes = Math.Max(_current.Probes, 1);
            _loss.RetransmitOldest(PacketNumberSpace.Application, _current.Id, packets: 1);
        }

        if (IsConnected && !_current.IsValidated && !_current.Validation.IsRunning)
        {
            StartValidation(now, _current);
        }
    }

    private void KickHandshake(PacketSpace space)
    {
        if (_loss.HasAckElicitingInFlight(space.Number))
        {
            space.Probes = Math.Max(space.Probes, 1);
            _loss.RetransmitOldest(space.Number, _current.Id, packets: 1);
        }
    }

    // A path that answered nothing for so long holds what nobody has: its own timeout, doubled again and again meanwhile, would find that out seconds later.
    private void LeaveFlight(TimeSpan now, ConnectionPath before)
    {
        if (before.Recovery.PtoCount < PtosUntilSilent)
        {
            CopyFlight(now, before);
            return;
        }

        _eventTime = now;
        _loss.HandOver(now, before.Id);
    }

    // What left by the other path a moment ago takes this one as well, as a probe timeout would have it: whichever is shorter brings it first.
    private void CopyFlight(TimeSpan now, ConnectionPath before)
    {
        if (_loss.CountAckElicitingInFlight(before.Id) <= MostCopied)
        {
            _eventTime = now;
            _loss.RetransmitOldest(PacketNumberSpace.Handshake, before.Id, MostCopied);
            _loss.RetransmitOldest(PacketNumberSpace.Application, before.Id, MostCopied);
        }
    }

    private void NoteSilence()
    {
        ConnectionPath path = _current;
        if (!HasGimletPaths || !IsConnected)
        {
            return;
        }

        // The first timeout in a row begins another silence.
        path.IsSilenceTold &= path.Recovery.PtoCount >= PtosUntilSilent;
        if (path.Recovery.PtoCount >= PtosUntilSilent && !path.IsSilenceTold)
        {
            path.IsSilenceTold = true;
            Tell(ConnectionEventKind.PathSilent, path.Id);
        }
    }

    // The newest packet of the peer's own will. One with nothing but ACK only returns on the way of ours.
    private void NotePeerPath(TimeSpan now, ConnectionPath path)
    {
        // Copies of what goes to an unvalidated path come on the other one: the peer is back when nothing else has come for a while.
        const int PtosUntilBack = 3;
        if (path == _current)
        {
            _peerHereAt = now;
            _peerBackSince ??= now;
            if (now - _peerBackSince >= PtosUntilBack * path.Recovery.PtoPeriod(_application.Number, _loss.PeerMaxAckDelay))
            {
                _peerMovedTo = null;
            }

            return;
        }

        _peerBackSince = null;
        if ((path.IsOurs || path.IsValidated) && !HasLeft(now, path))
        {
            return;
        }

        TimeSpan rtt = _current.Recovery.Rtt.Smoothed;
        TimeSpan pause = rtt > LeastBetweenMoves ? rtt : LeastBetweenMoves;
        if (path.Id != _peerMovedTo && (_peerMovedAt == TimeSpan.MinValue || now - _peerMovedAt >= pause))
        {
            _peerMovedTo = path.Id;
            _peerMovedAt = now;
            Tell(ConnectionEventKind.PeerMoved, path.Id);
        }
    }

    // Two that upgrade at about the same time still get by the old path what was on its way there, and the copies of the first round trip. The peer has left the
    // path in use when nothing has come there for longer than the slower of the two paths could hold it up; whoever has not been there at all has more time.
    private bool HasLeft(TimeSpan now, ConnectionPath other)
    {
        TimeSpan here = _current.Recovery.PtoPeriod(_application.Number, _loss.PeerMaxAckDelay);
        TimeSpan there = other.Recovery.PtoPeriod(_application.Number, _loss.PeerMaxAckDelay);
        TimeSpan slower = here > there ? here : there;
        return _peerHereAt is { } last ? now - last >= slower
            : _movedAt is not { } moved || now - moved >= (slower > LeastUntilAbsent ? slower : LeastUntilAbsent);
    }

    private void NoteAckPath(TimeSpan now, ConnectionPath path, long number)
    {
        if (number > _ackPathNumber)
        {
            _ackPathNumber = number;
            _ackPathAt = now;
            _ackPath = path;
            HandOverSilent(now);
        }
    }

    // Where 1-RTT packets go: the path that the owner chose. But while it is silent, and the peer has gone another way since, what must be said all the same
    // follows the acknowledgements: a receiver whose path died would otherwise never tell the sender that moved of more room.
    private ConnectionPath SendWay() =>
        _current.Recovery.PtoCount >= PtosUntilSilent && _ackPathAt > _current.AcknowledgedAt && AckWay() is { } way ? way : _current;

    private void HandOverSilent(TimeSpan now)
    {
        if (SendWay() != _current && _loss.CountAckElicitingInFlight(_current.Id) > 0)
        {
            _eventTime = now;
            _loss.HandOver(now, _current.Id);
        }
    }

    // Where acknowledgements go when that is not the current path; null when it is. Never to a path that was only seen: whoever replays the peer's
    // packets from elsewhere would have us send there. And not to one that is known to be dead: what came that way shows nothing of the way back.
    private ConnectionPath? AckWay() =>
        _ackPath is { } way
        && way != _current
        && HasGimletPaths
        && (way.IsOurs || way.IsValidated)
        && !way.IsAbandoned
        && way.Allowance >= SmallestDatagram
            ? way
            : null;

    private bool IsAckDueOn(ConnectionPath path, TimeSpan now) =>
        _application.Received.HasUnsentAck && _application.Received.IsAckDue(now) && (AckWay() ?? _current) == path;

    private bool TryPollAck(TimeSpan now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (AckWay() is not { } path || path == SendWay() || !IsAckDueOn(path, now) || _oneRtt is not { CanSeal: true })
        {
            return false;
        }

        int size = (int)Math.Min(Math.Min(path.Mtu.Current, buffer.Length), path.Allowance);
        BeginDatagram(now, path, path.Recovery.NextEcn);
        var datagram = new DatagramBuilder(this, buffer[..size]);
        if (!datagram.TryBegin(_application, out WireWriter writer))
        {
            return false;
        }

        SentFrameList sent = _applicationFrames;
        sent.Clear();
        WriteAck(_application, ref writer, sent);
        if (_acksWithoutPing >= AcksPerPing && PingFrame.TryWrite(ref writer))
        {
            sent.Add(new SentFrame(FrameType.Ping));
        }

        _acksWithoutPing = IsAckEliciting(sent.Frames) ? 0 : _acksWithoutPing + 1;
        datagram.Commit(writer.Position);
        int length = datagram.Finish(fullSize: 0);
        if (length == 0)
        {
            return false;
        }

        CountDatagram(path, length);
        transmit = new Transmit(path.Id, length, length, _writeEcn);
        return true;
    }
}
