using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <content>What the frames of an authentic packet mean (RFC 9000 section 19).</content>
internal sealed partial class ConnectionCore
{
    // RFC 9000 section 7.5: 4096 bytes at least. A Certificate message may have 64 KB (TlsLimits), and everything before it in the flight as much again.
    private const int MaxCryptoBuffered = 96 * 1024;

    private DatagramQueue _incoming;
    private bool _isDatagramTold;

    /// <summary>Takes the oldest datagram that came.</summary>
    /// <param name="destination">Room; a longer datagram is cut, its <paramref name="length"/> tells.</param>
    /// <param name="length">Its length in bytes.</param>
    public bool TryReceiveDatagram(Span<byte> destination, out int length)
    {
        bool taken = _incoming.TryDequeue(destination, out length);
        _isDatagramTold = _incoming.Count > 0;
        return taken;
    }

    /// <summary>DATAGRAM frames that came and were not taken.</summary>
    public int ReceivedDatagrams => _incoming.Count;

    /// <summary>Takes all datagrams that came, in their queue, for an empty one.</summary>
    public DatagramQueue ExchangeDatagrams(DatagramQueue empty)
    {
        DatagramQueue taken = _incoming;
        _incoming = empty;
        _isDatagramTold = false;
        return taken;
    }

    private EndpointRole PeerRole => Role == EndpointRole.Client ? EndpointRole.Server : EndpointRole.Client;

    private void HandlePayload(in Arrival arrival, in PacketSlice packet, PacketSpace space, in OpenedPacket opened)
    {
        ReadOnlySpan<byte> payload = packet.Bytes.Slice(opened.PayloadOffset, opened.PayloadLength);
        ConnectionPath? path = space == _application ? PathOf(arrival) : _current;
        if (path is null)
        {
            Drop(arrival, packet.Type, packet.Bytes.Length, PacketDropReason.UnknownPath);
            return;
        }

        _eventTime = arrival.Now;
        _trace?.PacketReceived(arrival.Now, arrival.Path, packet.Type, opened.PacketNumber, packet.Bytes.Length, payload);
        bool isAckEliciting = false;
        bool isProbing = true;
        var reader = new FrameReader(payload, packet.Type, PeerRole);
        while (reader.MoveNext())
        {
            FrameType type = reader.Type;
            isAckEliciting |= FrameRules.IsAckEliciting(type);
            isProbing &= FrameRules.IsProbing(type);
            if (!TryHandleFrame(arrival, packet, space, path, opened, ref reader, out QuicError error))
            {
                // The reader's own error, where the frame could not be read.
                CloseFor(arrival.Now, error.IsError ? error : reader.Error);
                return;
            }

            if (_phase != ClosePhase.Open)
            {
                return;
            }
        }

        if (reader.Error.IsError)
        {
            CloseFor(arrival.Now, reader.Error);
            return;
        }

        space.Received.Add(arrival.Now, opened.PacketNumber, isAckEliciting, arrival.Ecn);
        _idle.OnReceived(arrival.Now);
        if (space == _application)
        {
            if (isAckEliciting)
            {
                NoteAckPath(arrival.Now, path, opened.PacketNumber);
            }

            OnPacketFrom(arrival.Now, path, isProbing, isAckEliciting, opened.PacketNumber == space.Received.Largest);
        }
    }

    // False: the connection ends, with the error or the reader's.
    private bool TryHandleFrame(
        in Arrival arrival,
        in PacketSlice packet,
        PacketSpace space,
        ConnectionPath path,
        in OpenedPacket opened,
        scoped ref FrameReader reader,
        out QuicError error)
    {
        error = QuicError.None;
        switch (reader.Type)
        {
            case FrameType.Padding or FrameType.Ping:
                return true;
            case >= FrameType.Stream and <= FrameType.StreamLast:
                return StreamFrame.TryRead(ref reader, out StreamFrame stream) && Ok(Streams.Handle(stream), out error);
            case FrameType.Ack or FrameType.AckEcn:
                return AckFrame.TryRead(ref reader, out AckFrame ack) && Ok(HandleAck(arrival, space, path, ack, opened.Generation), out error);
            case FrameType.Crypto:
                return CryptoFrame.TryRead(ref reader, out CryptoFrame crypto) && Ok(HandleCrypto(arrival.Now, space, crypto), out error);
            case FrameType.Datagram or FrameType.DatagramWithLength:
                return DatagramFrame.TryRead(ref reader, out DatagramFrame datagram) && Ok(HandleDatagramFrame(datagram, reader.FrameLength), out error);
            case FrameType.ConnectionClose or FrameType.ApplicationClose:
                return ConnectionCloseFrame.TryRead(ref reader, out ConnectionCloseFrame close) && HandleClose(arrival.Now, close);
            case FrameType.HandshakeDone:
                return Ok(HandleHandshakeDone(arrival.Now), out error);
            case FrameType.NewToken:
                return NewTokenFrame.TryRead(ref reader, out NewTokenFrame token) && HandleNewToken(token);
            case FrameType.NewConnectionId:
                return NewConnectionIdFrame.TryRead(ref reader, out NewConnectionIdFrame id) && Ok(_remoteIds.OnNewConnectionId(id), out error);
            case FrameType.RetireConnectionId:
                return RetireConnectionIdFrame.TryRead(ref reader, out RetireConnectionIdFrame retire)
                    && Ok(_localIds.OnRetire(retire, packet.Destination), out error);
            case FrameType.PathChallenge:
                return PathChallengeFrame.TryRead(ref reader, out PathChallengeFrame challenge) && HandlePathChallenge(path, challenge);
            case FrameType.PathResponse:
                return PathResponseFrame.TryRead(ref reader, out PathResponseFrame response) && HandlePathResponse(arrival.Now, response);
            default:
                return TryHandleStreamControl(ref reader, out error);
        }
    }

    private bool TryHandleStreamControl(scoped ref FrameReader reader, out QuicError error)
    {
        error = QuicError.None;
        switch (reader.Type)
        {
            case FrameType.ResetStream:
                return ResetStreamFrame.TryRead(ref reader, out ResetStreamFrame reset) && Ok(Streams.Handle(reset), out error);
            case FrameType.StopSending:
                return StopSendingFrame.TryRead(ref reader, out StopSendingFrame stop) && Ok(Streams.Handle(stop), out error);
            case FrameType.MaxData:
                return MaxDataFrame.TryRead(ref reader, out MaxDataFrame maxData) && Ok(Streams.Handle(maxData), out error);
            case FrameType.MaxStreamData:
                return MaxStreamDataFrame.TryRead(ref reader, out MaxStreamDataFrame maxStreamData) && Ok(Streams.Handle(maxStreamData), out error);
            case FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional:
                return MaxStreamsFrame.TryRead(ref reader, out MaxStreamsFrame maxStreams) && Ok(Streams.Handle(maxStreams), out error);
            case FrameType.DataBlocked:
                return DataBlockedFrame.TryRead(ref reader, out DataBlockedFrame blocked) && Ok(Streams.Handle(blocked), out error);
            case FrameType.StreamDataBlocked:
                return StreamDataBlockedFrame.TryRead(ref reader, out StreamDataBlockedFrame blockedStream)
                    && Ok(Streams.Handle(blockedStream), out error);
            case FrameType.StreamsBlockedBidirectional or FrameType.StreamsBlockedUnidirectional:
                return StreamsBlockedFrame.TryRead(ref reader, out StreamsBlockedFrame blockedCount) && Ok(Streams.Handle(blockedCount), out error);
            default:
                throw new InvalidOperationException($"FrameReader let a frame of type {reader.Type} pass that nobody handles.");
        }
    }

    private static bool Ok(QuicError result, out QuicError error)
    {
        error = result;
        return !result.IsError;
    }

    private QuicError HandleAck(in Arrival arrival, PacketSpace space, ConnectionPath path, in AckFrame ack, int generation)
    {
        QuicError error;
        if (space == _application)
        {
            error = _oneRtt!.OnAcknowledged(ack.LargestAcknowledged, generation);
            if (error.IsError)
            {
                return error;
            }
        }

        // RFC 9002 appendix A.8: a server's acknowledgement of a Handshake packet shows that it has validated our address.
        if (space == _handshake && Role == EndpointRole.Client)
        {
            _loss.IsPeerAddressValidated = true;
        }

        // Nodes acknowledge on the way that the packets came; the round trip of each path is then its own.
        PathId? way = HasGimletPaths ? arrival.Path : null;
        error = _loss.OnAckReceived(arrival.Now, space.Number, ack, DecodeAckDelay(space, ack.Delay), way);
        TraceMetrics(arrival.Now, path);
        return error;
    }

    private TimeSpan DecodeAckDelay(PacketSpace space, long delay)
    {
        // RFC 9000 section 13.2.5: an ACK Delay field counts in Application packets only; what is more than a minute is no delay but a mistake.
        if (space != _application || PeerParameters is null)
        {
            return TimeSpan.Zero;
        }

        const long MaxMicroseconds = 60_000_000;
        int exponent = (int)PeerParameters.AckDelayExponent;
        return TimeSpan.FromMicroseconds(delay > MaxMicroseconds >> exponent ? MaxMicroseconds : delay << exponent);
    }

    private QuicError HandleCrypto(TimeSpan now, PacketSpace space, in CryptoFrame frame)
    {
        // RFC 9000 section 7.5: "If an endpoint does not expand its buffer, it MUST close the connection with a CRYPTO_BUFFER_EXCEEDED error code."
        if (frame.Offset + frame.Data.Length - space.CryptoIn.Read > MaxCryptoBuffered || !space.CryptoIn.TryAdd(frame.Offset, frame.Data))
        {
            return new QuicError(TransportErrorCode.CryptoBufferExceeded, FrameType.Crypto, "more handshake bytes than are kept");
        }

        ReadHandshake(now);
        return QuicError.None;
    }

    private QuicError HandleDatagramFrame(in DatagramFrame frame, int frameLength)
    {
        // RFC 9221 section 3: "An endpoint that receives a DATAGRAM frame when it has not indicated support via the transport parameter MUST terminate
        // the connection with an error of type PROTOCOL_VIOLATION", and for one larger than what it indicated as well.
        if (_settings.DatagramQueueBytes == 0 || frameLength > LocalParameters.MaxDatagramFrameSize)
        {
            return new QuicError(TransportErrorCode.ProtocolViolation, FrameType.Datagram, "a datagram that was not asked for");
        }

        Counters.DatagramFramesReceived++;

        // Old datagrams are worth less than new ones: the application that does not read loses those first.
        while (!_incoming.TryEnqueue(frame.Data) && _incoming.Count > 0)
        {
            _incoming.Drop();
            Counters.DatagramFramesDropped++;
        }

        if (!_isDatagramTold)
        {
            _isDatagramTold = true;
            Tell(ConnectionEventKind.DatagramReceived);
        }

        return QuicError.None;
    }

    private bool HandleNewToken(in NewTokenFrame frame)
    {
        // One copy per frame goes to the owner, who keeps the newest: a server that sends many makes us hold no more than those of one batch.
        _events.Enqueue(new ConnectionEvent(ConnectionEventKind.TokenReceived, Token: frame.Token.ToArray()));
        return true;
    }

    private static bool HandlePathChallenge(ConnectionPath path, PathChallengeFrame frame)
    {
        path.Responses.Add(frame.Data);
        return true;
    }

    // RFC 9000 section 8.2.3: "A PATH_RESPONSE frame received on any network path validates the path on which the PATH_CHALLENGE was sent."
    private bool HandlePathResponse(TimeSpan now, PathResponseFrame frame)
    {
        foreach (ConnectionPath path in _paths)
        {
            if (path.Validation.OnResponse(now, frame.Data))
            {
                OnPathProgress(now, path);
                break;
            }
        }

        return true;
    }
}
