using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <content>What was acknowledged or lost, frame by frame (RFC 9000 section 13.3), and timers.</content>
internal sealed partial class ConnectionCore : IRecoveryEvents
{
    // RFC 9002 section 6.2.4: "an endpoint ... MAY send up to two full-sized datagrams containing ack-eliciting packets".
    private const int ProbesPerTimeout = 2;

    // The clock of the call that recovery works in.
    private TimeSpan _eventTime;

    /// <summary>When <see cref="HandleTimeout"/> is wanted, or null. May be in the past: then at once.</summary>
    public TimeSpan? NextTimeout
    {
        get
        {
            if (_phase != ClosePhase.Open)
            {
                return _phase == ClosePhase.Drained ? null : _finishAt;
            }

            TimeSpan? next = Earlier(_loss.NextTimeout, IdleDeadline());

            // A PING that is wanted already waits for the window, not for a timer.
            next = Earlier(next, IsConnected ? (_isPingWanted ? null : _idle.KeepAliveAt) : _handshakeDeadline);
            next = Earlier(next, _dropKeysAt);
            next = Earlier(next, BlockedDeadline());
            next = Earlier(next, UnlessInVain(_application.Received.AckDeadline));
            next = Earlier(next, UnlessInVain(SendWay().Recovery.NextSendTime));
            next = Earlier(next, IsConfirmed ? UnlessInVain(_current.Mtu.NextTimeout) : null);
            foreach (ConnectionPath path in _paths)
            {
                next = Earlier(next, UnlessInVain(path.Validation.NextTimeout));
                next = Earlier(next, path.Validation.Deadline);
            }

            return next;
        }
    }

    // What was due already when the last poll found nothing to send waits for something else than time: for a packet that lifts a limit. A
    // timer for it would fire for ever.
    private TimeSpan? UnlessInVain(TimeSpan? deadline) => deadline <= _nothingToSendAt ? null : deadline;

    /// <summary>Does what is due; harmless when nothing is.</summary>
    public void HandleTimeout(TimeSpan now)
    {
        if (_phase != ClosePhase.Open)
        {
            if (_phase != ClosePhase.Drained && now >= _finishAt)
            {
                Drain();
            }

            return;
        }

        if (now >= IdleDeadline())
        {
            Finish(new CloseReason(CloseKind.IdleTimeout, 0, FrameType.Padding, "nothing came from the peer for the idle timeout"));
            return;
        }

        if (!IsConnected && now >= _handshakeDeadline)
        {
            Finish(new CloseReason(CloseKind.HandshakeTimeout, 0, FrameType.Padding, "the handshake was not complete in time"));
            return;
        }

        if (IsConnected && now >= _idle.KeepAliveAt)
        {
            _isPingWanted = true;
            _idle.OnKeepAlive(now);

            // RFC 9000 section 4.1: a sender that stays blocked repeats that now and then.
            Streams.RepeatBlocked();
        }

        if (now >= BlockedDeadline())
        {
            Streams.RepeatBlocked();
            _idle.OnKeepAlive(now);
        }

        if (now >= _dropKeysAt)
        {
            _oneRtt!.DropPreviousKeys();
            _dropKeysAt = null;
        }

        HandlePathTimeouts(now);
        HandleLossTimeouts(now);
    }

    void IRecoveryEvents.OnFrameAcknowledged(PacketNumberSpace space, in SentFrame frame)
    {
        switch (frame.Type)
        {
            case FrameType.Ack or FrameType.AckEcn:
                SpaceOf(space).Received.OnAckAcknowledged(frame.Offset);
                break;
            case FrameType.Crypto:
                SpaceOf(space).CryptoOut.OnAcknowledged(frame.Offset, frame.Length);
                break;
            case FrameType.NewConnectionId:
                _localIds.OnFrameAcknowledged(frame.Offset);
                break;
            case FrameType.Datagram
                or FrameType.DatagramWithLength
                or FrameType.Ping
                or FrameType.HandshakeDone
                or FrameType.NewToken
                or FrameType.RetireConnectionId
                or FrameType.PathChallenge
                or FrameType.PathResponse:
                // Arrived, and nothing was kept of them.
                break;
            default:
                Streams.OnAcknowledged(frame);
                break;
        }
    }

    void IRecoveryEvents.OnFrameLost(PacketNumberSpace space, in SentFrame frame)
    {
        switch (frame.Type)
        {
            case FrameType.Ack or FrameType.AckEcn or FrameType.Ping or FrameType.PathChallenge or FrameType.PathResponse:
                // RFC 9000 section 13.3: made anew when they are wanted, never sent again.
                break;
            case FrameType.Crypto:
                SpaceOf(space).CryptoOut.OnLost(frame.Offset, frame.Length);
                break;
            case FrameType.NewConnectionId:
                _localIds.OnFrameLost(frame.Offset);
                break;
            case FrameType.RetireConnectionId:
                _remoteIds.OnFrameLost(frame.Offset);
                break;
            case FrameType.HandshakeDone:
                _isHandshakeDonePending = true;
                break;
            case FrameType.NewToken:
                _isNewTokenPending = true;
                break;
            case FrameType.Datagram or FrameType.DatagramWithLength:
                Counters.DatagramFramesLost++;
                break;
            default:
                Streams.OnLost(frame);
                break;
        }
    }

    void IRecoveryEvents.OnPacketAcknowledged(PacketNumberSpace space, in SentPacket packet)
    {
        if (space == PacketNumberSpace.Application && TryFindPath(packet.Path) is { } path)
        {
            path.AcknowledgedAt = _eventTime;
            if (path.IsSilenceTold)
            {
                path.IsSilenceTold = false;
                Tell(ConnectionEventKind.PathHeard, path.Id);
            }

            if (packet.IsMtuProbe)
            {
                path.Mtu.OnProbeAcknowledged(_eventTime, packet.PacketNumber);
                UpdateDatagramSize(path);
            }
            else
            {
                path.Mtu.OnPacketAcknowledged(packet.PacketNumber, packet.Size);
            }
        }
    }

    void IRecoveryEvents.OnPacketLost(PacketNumberSpace space, in SentPacket packet)
    {
        Counters.PacketsLost++;
        Counters.BytesLost += packet.Size;
        _trace?.PacketLost(_eventTime, packet.Path, SpaceOf(space).Type, packet.PacketNumber, reason: null);
        if (TryFindPath(packet.Path) is not { } path)
        {
            return;
        }

        path.PacketsLost++;
        if (space != PacketNumberSpace.Application)
        {
            return;
        }

        if (packet.IsMtuProbe)
        {
            path.Mtu.OnProbeLost(_eventTime, packet.PacketNumber);
        }
        else if (!path.IsAbandoned && path.Mtu.OnPacketLost(_eventTime, packet.PacketNumber, packet.Size))
        {
            UpdateDatagramSize(path);
        }
    }

    void IRecoveryEvents.OnPersistentCongestion(PathId path)
    {
        if (TryFindPath(path) is { } found && found.Mtu.OnPersistentCongestion(_eventTime))
        {
            UpdateDatagramSize(found);
        }
    }

    private void TraceMetrics(TimeSpan now, ConnectionPath path)
    {
        if (_trace is null)
        {
            return;
        }

        PathRecovery recovery = path.Recovery;
        RttEstimator rtt = recovery.Rtt;
        _trace.MetricsUpdated(
            now,
            path.Id,
            new TraceMetrics(
                rtt.HasSample ? rtt.Smoothed : null,
                rtt.HasSample ? rtt.Minimum : null,
                rtt.HasSample ? rtt.Latest : null,
                rtt.HasSample ? rtt.Variation : null,
                recovery.PtoCount,
                recovery.CongestionWindow,
                recovery.BytesInFlight,
                recovery.SlowStartThreshold == long.MaxValue ? null : recovery.SlowStartThreshold));
    }

    private void UpdateDatagramSize(ConnectionPath path)
    {
        int before = path.Recovery.MaxDatagramSize;
        path.Recovery.MaxDatagramSize = path.Mtu.Current;
        if (before != path.Mtu.Current)
        {
            _trace?.MtuUpdated(_eventTime, path.Id, before, path.Mtu.Current);
        }
    }

    // RFC 9000 section 4.1: "To keep the connection from closing, a sender that is flow control limited SHOULD periodically send a STREAM_DATA_BLOCKED or
    // DATA_BLOCKED frame when it has no ack-eliciting packets in flight."
    private TimeSpan? BlockedDeadline() =>
        IsConnected && !_loss.HasAckElicitingInFlight(PacketNumberSpace.Application) && Streams.IsBlocked ? _idle.BlockedAt : null;

    private TimeSpan? IdleDeadline() => _idle.ExpiresAt(_current.Recovery.PtoPeriod(_application.Number, _loss.PeerMaxAckDelay));

    private void HandlePathTimeouts(TimeSpan now)
    {
        // From the end: a path that failed is taken out of the list.
        for (int i = _paths.Count - 1; i >= 0 && i < _paths.Count; i--)
        {
            ConnectionPath path = _paths[i];
            if (now >= path.Validation.NextTimeout)
            {
                path.Validation.HandleTimeout(now);
                OnPathProgress(now, path);
            }
        }
    }

    private void HandleLossTimeouts(TimeSpan now)
    {
        _eventTime = now;
        if (_phase != ClosePhase.Open || !(now >= _loss.NextTimeout) || !_loss.HandleTimeout(now, out ProbeRequest probe))
        {
            return;
        }

        Counters.ProbeTimeouts++;
        TraceMetrics(now, _current);
        NoteSilence();
        HandOverSilent(now);
        PacketSpace space = SpaceOf(probe.Space);
        if (probe.Space != PacketNumberSpace.Application)
        {
            space.Probes = ProbesPerTimeout;
        }
        else if (probe.Path != SendWay().Id)
        {
            if (TryFindPath(probe.Path) is { } left && IsGivenUp(left))
            {
                _loss.MarkAllLost(now, probe.Path);
                return;
            }
        }
        else
        {
            SendWay().Probes = ProbesPerTimeout;
        }

        // RFC 9002 section 6.2.4: probes carry new data where there is some, and otherwise what is not acknowledged yet: the oldest goes out again.
        _loss.RetransmitOldest(probe.Space, probe.Path, ProbesPerTimeout);

        // RFC 9002 section 6.2.4: where data of several spaces is in flight it goes out together, coalesced: a peer without the bytes of the Initial
        // cannot use those of the Handshake, and would have to wait for a timeout of its own for them.
        if (probe.Space == PacketNumberSpace.Initial)
        {
            _loss.RetransmitOldest(PacketNumberSpace.Handshake, probe.Path, ProbesPerTimeout);
        }
    }

    // Nothing goes any more to a path that was left, so no later packet will show what was lost there, and probes two at a time with ever longer pauses
    // would bring it back in seconds: all of it goes out again on the current path. But not before an acknowledgement could have come the way that
    // the peer's packets go now, which may be longer.
    private bool IsGivenUp(ConnectionPath left)
    {
        TimeSpan pto = left.Recovery.PtoPeriod(_application.Number, _loss.PeerMaxAckDelay);
        TimeSpan waited = pto * ((1L << Math.Min(left.Recovery.PtoCount, MostShifted)) - 1);
        return _current.Recovery.Rtt.HasSample
            ? waited >= _current.Recovery.PtoPeriod(_application.Number, _loss.PeerMaxAckDelay)
            : left.Recovery.PtoCount > 1;
    }

    private static TimeSpan? Earlier(TimeSpan? left, TimeSpan? right) =>
        left is { } l && right is { } r ? (l < r ? l : r) : left ?? right;
}
