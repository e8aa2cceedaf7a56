using System.Text;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <content>The end of a connection (RFC 9000 section 10).</content>
internal sealed partial class ConnectionCore
{
    // RFC 9000 section 10.2: "These states SHOULD persist for at least three times the current PTO interval".
    private const int ClosingPtos = 3;

    // Enough for a sentence, and no more of the peer's bytes than one would log.
    private const int MaxReasonLength = 256;

    private ClosePhase _phase;
    private TimeSpan _finishAt;
    private bool _isClosePending;
    private long _packetsWhileClosing;
    private long _answerCloseAt = 1;

    private enum ClosePhase
    {
        Open,

        /// <summary>We closed; whatever comes is answered with the same frame, ever less often (section 10.2.1).</summary>
        Closing,

        /// <summary>The peer closed; nothing is sent (section 10.2.2).</summary>
        Draining,

        /// <summary>Over.</summary>
        Drained,
    }

    /// <summary>Closes with a code of the application; streams end at once. Does nothing when it is closed already.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="errorCode">The application's code, 0 to 2^62 - 1.</param>
    /// <param name="reason">For people; the peer sees it.</param>
    public void Close(TimeSpan now, long errorCode, string reason)
    {
        if (_phase == ClosePhase.Open)
        {
            EnterClosing(now, new CloseReason(CloseKind.LocalApplication, errorCode, FrameType.Padding, reason));
        }
    }

    /// <summary>The endpoint found a stateless reset of this connection by its token (RFC 9000 section 10.3.1).</summary>
    public void HandleStatelessReset(TimeSpan now)
    {
        if (_phase is ClosePhase.Open or ClosePhase.Closing)
        {
            EnterDraining(now, new CloseReason(CloseKind.StatelessReset, 0, FrameType.Padding, "the peer has forgotten the connection"));
        }
    }

    private void CloseFor(TimeSpan now, QuicError error, string? localReason = null)
    {
        if (_phase == ClosePhase.Open)
        {
            _closeReasonForPeer = error.Reason;
            EnterClosing(now, new CloseReason(CloseKind.LocalTransport, (long)error.Code, error.FrameType, localReason ?? error.Reason));
        }
    }

    private string? _closeReasonForPeer;

    private void EnterClosing(TimeSpan now, CloseReason reason)
    {
        _phase = ClosePhase.Closing;
        _trace?.StateUpdated(now, TraceState.Closing);
        _isClosePending = true;
        _finishAt = now + ClosingPeriod();
        End(reason);
    }

    private void EnterDraining(TimeSpan now, CloseReason reason)
    {
        if (_phase == ClosePhase.Open)
        {
            _finishAt = now + ClosingPeriod();
        }

        // RFC 9000 section 10.2.2: from the closing state, "the draining state ends when the closing state would have ended."
        _phase = ClosePhase.Draining;
        _trace?.StateUpdated(now, TraceState.Draining);
        _isClosePending = false;
        End(reason);
    }

    // No state is left to wait for: the peer will find out by itself, or is not there.
    private void Finish(CloseReason reason)
    {
        End(reason);
        Drain();
    }

    private void Drain()
    {
        if (_phase != ClosePhase.Drained)
        {
            _phase = ClosePhase.Drained;
            _trace?.StateUpdated(_eventTime, TraceState.Closed);
            _isClosePending = false;
            _localIds.RetireAll();
            _remoteIds.Clear();
            Tell(ConnectionEventKind.Drained);
        }
    }

    private void End(CloseReason reason)
    {
        if (Closed is null)
        {
            Closed = reason;
            _trace?.ConnectionClosed(_eventTime, reason);
            _events.Enqueue(new ConnectionEvent(ConnectionEventKind.Closed, Close: reason));
            _undecryptable.Clear();
            _outgoing.Clear();
            Streams.OnConnectionClosed();
        }
    }

    private TimeSpan ClosingPeriod() => _current.Recovery.PtoPeriod(_application.Number, _loss.PeerMaxAckDelay) * ClosingPtos;

    private bool HandleClose(TimeSpan now, in ConnectionCloseFrame frame)
    {
        ReadOnlySpan<byte> text = frame.Reason[..Math.Min(frame.Reason.Length, MaxReasonLength)];
        EnterDraining(
            now,
            new CloseReason(
                frame.IsApplication ? CloseKind.PeerApplication : CloseKind.PeerTransport,
                frame.ErrorCode,
                frame.FrameType,
                Encoding.UTF8.GetString(text)));
        return true;
    }

    // RFC 9000 section 10.2.1: "An endpoint SHOULD limit the rate at which it generates packets in the closing state. For instance, an endpoint could
    // wait for a progressively increasing number of received packets or amount of time before responding to received packets."
    private void HandleWhileClosing(TimeSpan now, PathId path, Span<byte> datagram)
    {
        if (_phase != ClosePhase.Closing)
        {
            return;
        }

        TryFindPath(path)?.OnReceived(datagram.Length);
        _packetsWhileClosing++;
        if (_packetsWhileClosing >= _answerCloseAt && now < _finishAt)
        {
            _answerCloseAt *= 2;
            _isClosePending = true;
        }
    }

    // RFC 9000 section 10.2.3: in every kind of packet that the peer may be able to read.
    private bool TryPollClose(TimeSpan now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!_isClosePending)
        {
            return false;
        }

        _isClosePending = false;
        BeginDatagram(now, _current, EcnCodepoint.NotEct);
        int size = (int)Math.Min(Math.Min(_current.Mtu.Current, buffer.Length), _current.Allowance);
        var packets = new DatagramBuilder(this, buffer[..size]);
        foreach (PacketSpace space in (ReadOnlySpan<PacketSpace>)[_initial, _handshake])
        {
            if (space.Sealer is { CanSeal: true } && packets.TryBegin(space, out WireWriter writer))
            {
                FramesOf(space).Clear();
                packets.Commit(TryWriteClose(ref writer, isOneRtt: false) ? writer.Position : 0);
            }
        }

        if (_oneRtt is { CanSeal: true } && packets.TryBegin(_application, out WireWriter last))
        {
            _applicationFrames.Clear();
            packets.Commit(TryWriteClose(ref last, isOneRtt: true) ? last.Position : 0);
        }

        int length = packets.Finish(Role == EndpointRole.Client && _initial.Sealer is not null ? Math.Min(FullSize, size) : 0);
        if (length == 0)
        {
            return false;
        }

        CountDatagram(_current, length);
        transmit = new Transmit(_current.Id, length, length, EcnCodepoint.NotEct);
        return true;
    }

    private bool TryWriteClose(ref WireWriter writer, bool isOneRtt)
    {
        CloseReason reason = Closed!;
        if (reason.Kind == CloseKind.LocalApplication)
        {
            return isOneRtt
                ? ConnectionCloseFrame.ForApplication(reason.Code, Encoding.UTF8.GetBytes(reason.Reason)).TryWrite(ref writer)
                : ConnectionCloseFrame.ForApplicationInHandshake().TryWrite(ref writer);
        }

        return ConnectionCloseFrame
            .ForTransport((TransportErrorCode)reason.Code, reason.FrameType, Encoding.UTF8.GetBytes(_closeReasonForPeer ?? string.Empty))
            .TryWrite(ref writer);
    }
}
