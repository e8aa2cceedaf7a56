using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <content>How packets are written: headers, frames in their order, sealing, and what is remembered of them (RFC 9000 sections 12 and 13).</content>
internal sealed partial class ConnectionCore : IPacketWriter
{
    // A receiver of a long download sends nothing but ACK frames, and would never learn that they arrived. RFC 9000 section 13.2.4: "a receiver
    // MAY send a PING or another small ack-eliciting frame occasionally, such as once per round trip". Once in so many packets is less than that.
    private const int AcksPerPing = 64;

    private readonly SentFrameList _initialFrames = new();
    private readonly SentFrameList _handshakeFrames = new();
    private readonly SentFrameList _applicationFrames = new();
    private readonly DatagramQueue _outgoing;
    private ConnectionPath _writePath = null!;
    private ConnectionId _writeId;
    private TimeSpan _writeTime;
    private EcnCodepoint _writeEcn;
    private bool _isWritingMtuProbe;
    private int _acksWithoutPing;
    private bool _isPingWanted;
    private bool _isDatagramRoomWanted;

    long IPacketWriter.NextPacketNumber(PacketSpace space) => _loss.NextPacketNumber(space.Number);

    int IPacketWriter.HeaderLength(PacketSpace space, long number)
    {
        int numberLength = PacketNumber.LengthOf(number, _loss.LargestAcknowledged(space.Number));
        return space == _application
            ? ShortHeader.LengthOf(_writeId, numberLength)
            : LongHeader.LengthOf(space.Type, _peerHandshakeId, _localId, TokenOf(space).Length, numberLength);
    }

    PacketLayout IPacketWriter.WriteHeader(PacketSpace space, long number, Span<byte> packet)
    {
        int numberLength = PacketNumber.LengthOf(number, _loss.LargestAcknowledged(space.Number));
        return space == _application
            ? ShortHeader.Write(packet, _writeId, _isSpinning, number, numberLength)
            : LongHeader.Write(packet, space.Type, _peerHandshakeId, _localId, TokenOf(space).Span, number, numberLength);
    }

    void IPacketWriter.Seal(PacketSpace space, Span<byte> packet, in PacketLayout layout, long number, int payloadLength, bool isPadded) =>
        Seal(space, packet, layout, number, payloadLength, isPadded);

    private int Seal(PacketSpace space, Span<byte> packet, in PacketLayout layout, long number, int payloadLength, bool isPadded)
    {
        SentFrameList frames = FramesOf(space);
        _trace?.PacketSent(
            _writeTime,
            _writePath.Id,
            space.Type,
            number,
            layout.PayloadOffset + payloadLength + PacketCiphers.TagLength,
            packet.Slice(layout.PayloadOffset, payloadLength));
        int length = space == _application
            ? _oneRtt!.Seal(packet, layout, number, payloadLength)
            : space.Sealer!.Seal(packet, layout, number, payloadLength);
        bool isAckEliciting = IsAckEliciting(frames.Frames);
        var sent = new SentPacket(
            number, _writeTime, _writePath.Id, length, isAckEliciting, isAckEliciting || isPadded, _isWritingMtuProbe, _writeEcn);
        _loss.OnPacketSent(space.Number, sent, frames.Frames);
        Counters.PacketsSent++;
        _writePath.PacketsSent++;
        if (isAckEliciting)
        {
            _idle.OnAckElicitingSent(_writeTime);
        }

        if (space == _handshake && Role == EndpointRole.Client)
        {
            // RFC 9001 section 4.9.1: "a client MUST discard Initial keys when it first sends a Handshake packet".
            _isInitialOver = true;
        }

        return length;
    }

    private static bool IsAckEliciting(ReadOnlySpan<SentFrame> frames)
    {
        foreach (SentFrame frame in frames)
        {
            if (frame.Type is not (FrameType.Ack or FrameType.AckEcn))
            {
                return true;
            }
        }

        return false;
    }

    private ReadOnlyMemory<byte> TokenOf(PacketSpace space) => space == _initial ? _token : default;

    private SentFrameList FramesOf(PacketSpace space) => space.Number switch
    {
        PacketNumberSpace.Initial => _initialFrames,
        PacketNumberSpace.Handshake => _handshakeFrames,
        _ => _applicationFrames,
    };

    private void BeginDatagram(TimeSpan now, ConnectionPath path, EcnCodepoint ecn)
    {
        _writePath = path;
        _writeTime = now;
        _writeEcn = ecn;
        _isWritingMtuProbe = false;
        _writeId = RemoteIdOf(path);
    }

    /// <summary>The frames of an Initial or Handshake packet.</summary>
    private void WriteHandshakeFrames(PacketSpace space, ref WireWriter writer, bool mayOnlyAcknowledge)
    {
        SentFrameList sent = FramesOf(space);
        sent.Clear();
        WriteAck(space, ref writer, sent);
        if (mayOnlyAcknowledge)
        {
            return;
        }

        WriteCrypto(space, ref writer, sent);
        if (space.Probes > 0)
        {
            if (!IsAckEliciting(sent.Frames) && PingFrame.TryWrite(ref writer))
            {
                sent.Add(new SentFrame(FrameType.Ping));
            }

            space.Probes--;
        }
    }

    /// <summary>The frames of a 1-RTT packet on the current path: what must arrive soon comes first.</summary>
    private void WriteApplicationFrames(ConnectionPath path, ref WireWriter writer, bool mayOnlyAcknowledge)
    {
        SentFrameList sent = _applicationFrames;
        sent.Clear();
        WriteAck(_application, ref writer, sent);
        if (mayOnlyAcknowledge)
        {
            return;
        }

        if (HasRareFrames)
        {
            WriteRareFrames(ref writer, sent);
        }

        if (HasDatagramsFor(path))
        {
            WriteDatagrams(ref writer, sent);
        }

        if (Streams.HasFramesToSend)
        {
            Streams.WriteFrames(ref writer, sent, mayFillPacket: true);
        }

        bool isElicitingWanted = path.Probes > 0 || (sent.Count > 0 && _acksWithoutPing >= AcksPerPing);
        if (isElicitingWanted && !IsAckEliciting(sent.Frames) && PingFrame.TryWrite(ref writer))
        {
            sent.Add(new SentFrame(FrameType.Ping));
        }

        path.Probes = Math.Max(path.Probes - 1, 0);
        _acksWithoutPing = IsAckEliciting(sent.Frames) ? 0 : _acksWithoutPing + 1;
    }

    private void WriteAck(PacketSpace space, ref WireWriter writer, SentFrameList sent)
    {
        if (space.Received.HasUnsentAck
            && (space != _application || (AckWay() ?? _writePath) == _writePath)
            && space.Received.TryWriteAck(ref writer, _writeTime, LocalParameters.AckDelayExponent, out long largest))
        {
            sent.Add(new SentFrame(FrameType.Ack, Offset: largest));
        }
    }

    private static void WriteCrypto(PacketSpace space, ref WireWriter writer, SentFrameList sent)
    {
        while (space.CryptoOut.HasPending(long.MaxValue))
        {
            // The offset is not known before the range is taken: room is reckoned with its longest possible encoding so far.
            int room = CryptoFrame.MaxDataLength(writer.Remaining, space.CryptoOut.Written);
            if (room <= 0 || !space.CryptoOut.TryTake(room, long.MaxValue, out long offset, out int length))
            {
                return;
            }

            _ = CryptoFrame.TryReserve(ref writer, offset, length, out Span<byte> data);
            space.CryptoOut.CopyTo(offset, data);
            sent.Add(new SentFrame(FrameType.Crypto, Offset: offset, Length: length));
        }
    }

    // Frames that most packets do not have, behind one flag.
    private void WriteRareFrames(ref WireWriter writer, SentFrameList sent)
    {
        if (_isHandshakeDonePending && HandshakeDoneFrame.TryWrite(ref writer))
        {
            _isHandshakeDonePending = false;
            sent.Add(new SentFrame(FrameType.HandshakeDone));
        }

        WriteCrypto(_application, ref writer, sent);
        while (_localIds.HasFramesToSend && _localIds.TryWrite(ref writer, sent))
        {
            // As many as fit.
        }

        while (_remoteIds.HasFramesToSend && _remoteIds.TryWrite(ref writer, sent))
        {
            // As many as fit.
        }

        if (_isNewTokenPending && new NewTokenFrame(_newToken.Span).TryWrite(ref writer))
        {
            _isNewTokenPending = false;
            sent.Add(new SentFrame(FrameType.NewToken));
        }

        if (_isPingWanted && PingFrame.TryWrite(ref writer))
        {
            _isPingWanted = false;
            sent.Add(new SentFrame(FrameType.Ping));
        }
    }

    private bool HasRareFrames =>
        _isHandshakeDonePending
        || _isPingWanted
        || _isNewTokenPending
        || _localIds.HasFramesToSend
        || _remoteIds.HasFramesToSend
        || _application.CryptoOut.HasPending(long.MaxValue);

    private void WriteDatagrams(ref WireWriter writer, SentFrameList sent)
    {
        while (_outgoing.Count > 0)
        {
            int length = _outgoing.NextLength;
            if (length > MaxDatagramLength)
            {
                // The path has become narrower since.
                _outgoing.Drop();
                Counters.DatagramFramesDropped++;
                continue;
            }

            // Always with a Length field: what comes next, another frame or padding, is not known yet.
            if (!DatagramFrame.TryReserve(ref writer, length, fillsPacket: false, out Span<byte> data))
            {
                break;
            }

            _ = _outgoing.TryDequeue(data, out _);
            sent.Add(new SentFrame(FrameType.DatagramWithLength, Length: length));
            Counters.DatagramFramesSent++;
        }

        if (_isDatagramRoomWanted && _outgoing.Count == 0)
        {
            _isDatagramRoomWanted = false;
            Tell(ConnectionEventKind.DatagramsWritable);
        }
    }

    /// <summary>The most bytes <see cref="TrySendDatagram"/> takes now; 0 where the peer does not want datagrams or it is not known yet.</summary>
    public int MaxDatagramLength
    {
        get
        {
            if (PeerParameters is null || PeerParameters.MaxDatagramFrameSize == 0 || _phase != ClosePhase.Open)
            {
                return 0;
            }

            // A packet of its own: header with the longest packet number, tag. The frame: type and a Length field.
            int packet = SendWay().Mtu.Current - ShortHeader.LengthOf(RemoteIdOf(_current), PacketNumber.MaxLength) - PacketCiphers.TagLength;
            int frame = (int)Math.Min(packet, PeerParameters.MaxDatagramFrameSize);
            return Math.Max(DatagramFrame.MaxDataLength(frame, fillsPacket: false), 0);
        }
    }

    /// <summary>DATAGRAM frames that wait.</summary>
    public int QueuedDatagrams => _outgoing.Count;

    /// <summary>Queues a DATAGRAM frame (RFC 9221).</summary>
    /// <returns>False when the queue is full; <see cref="ConnectionEventKind.DatagramsWritable"/> tells of room.</returns>
    /// <exception cref="ArgumentException">Longer than <see cref="MaxDatagramLength"/>.</exception>
    public bool TrySendDatagram(ReadOnlySpan<byte> data)
    {
        int most = MaxDatagramLength;
        if (data.Length > most)
        {
            throw new ArgumentException($"A datagram of {data.Length} bytes; this connection carries {most} now.", nameof(data));
        }

        if (_outgoing.TryEnqueue(data))
        {
            return true;
        }

        _isDatagramRoomWanted = true;
        return false;
    }

    private ConnectionId RemoteIdOf(ConnectionPath path)
    {
        if (_remoteIds.TryGet(path.Id, out ConnectionId id))
        {
            return id;
        }

        // Before the peer gave any, or when it gave too few: the one in use goes along. RFC 9000 section 9.5 prefers another one, and section 5.1.2 lets
        // an endpoint go on where it has none.
        return _remoteIds.TryGet(_current.Id, out id) ? id : _peerHandshakeId;
    }

    private void CountDatagram(ConnectionPath path, int length)
    {
        path.OnSent(length);
        Counters.DatagramsSent++;
        Counters.BytesSent += length;
    }
}
