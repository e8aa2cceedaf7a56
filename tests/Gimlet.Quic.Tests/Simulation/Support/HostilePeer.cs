using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Keys;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>
/// A peer that has the keys and no manners: makes a handshake as everybody, then sends whatever a test says in whatever packet. It has no loss
/// recovery, so its network must be a good one.
/// </summary>
internal sealed class HostilePeer : ISimulatedNode, IDisposable
{
    private const int CryptoPerPacket = 1000;
    private readonly Random _random;
    private readonly PathId _path;
    private readonly Queue<byte[]> _output = [];
    private readonly HostileLevel[] _levels = [new(), new(), new()];
    private readonly IProtectionProvider _provider = PairOptions.Settings().Protection;
    private TlsEndpoint? _tls;
    private bool _isDoneSent;

    public HostilePeer(EndpointRole role, int seed, PathId path)
    {
        Role = role;
        _random = new Random(seed);
        _path = path;
        Own = ConnectionId.Create(_random.NextBytes, SimulatedRoutes.IdLength);
    }

    public EndpointRole Role { get; }

    /// <summary>The id that the victim sends to.</summary>
    public ConnectionId Own { get; }

    /// <summary>The victim's id.</summary>
    public ConnectionId Victim { get; set; }

    /// <summary>Changes the transport parameters that are sent.</summary>
    public Func<TransportParameters, TransportParameters> Parameters { get; set; } = p => p;

    /// <summary>Changes them as bytes: what no writer would write.</summary>
    public Func<byte[], byte[]> EncodedParameters { get; set; } = bytes => bytes;

    /// <summary>Changes the bytes of TLS before they go out at a level.</summary>
    public Func<EncryptionLevel, byte[], byte[]> Handshake { get; set; } = (_, bytes) => bytes;

    /// <summary>Whether packets are acknowledged, as they should be.</summary>
    public bool Acknowledges { get; set; } = true;

    /// <summary>Whether HANDSHAKE_DONE goes out when it is time (a server's).</summary>
    public bool ConfirmsHandshake { get; set; } = true;

    /// <summary>Called for every frame of the victim's.</summary>
    public HostileReader? OnFrame { get; set; }

    public bool IsComplete => _tls is { IsComplete: true };

    /// <summary>What the victim told of itself.</summary>
    public TransportParameters? VictimParameters { get; private set; }

    /// <summary>The victim's CONNECTION_CLOSE, with its code and frame type, or null.</summary>
    public (bool IsApplication, long Code, FrameType Frame, string Reason)? Close { get; private set; }

    /// <summary>How many CONNECTION_CLOSE frames came.</summary>
    public int CloseCount { get; private set; }

    /// <summary>Frames of the victim's by type, STREAM without its flags.</summary>
    public Dictionary<FrameType, int> Received { get; } = [];

    /// <summary>Datagrams and bytes that the victim sent.</summary>
    public (int Datagrams, long Bytes) ReceivedTotal { get; private set; }

    /// <inheritdoc/>
    public TimeSpan? NextTimeout => null;

    private EndpointRole OtherRole => Role == EndpointRole.Client ? EndpointRole.Server : EndpointRole.Client;

    /// <summary>A client's first flight.</summary>
    public void Start()
    {
        Victim = ConnectionId.Create(_random.NextBytes, SimulatedRoutes.IdLength);
        UseInitialKeys(Victim);
        var client = new TlsClient(
            SimulatedIdentities.ClientOptions() with { TransportParameters = Encode(new TransportParameters()) }, _random.NextBytes);
        _tls = client;
        client.Start();
        TakeTls();
    }

    /// <summary>Sends frames in a packet of their own.</summary>
    public HostilePeer Send(PacketType type, params ReadOnlySpan<byte[]> frames)
    {
        _output.Enqueue(Seal(type, Join(frames)));
        return this;
    }

    /// <summary>Sends bytes that are a datagram already.</summary>
    public void SendBytes(byte[] datagram) => _output.Enqueue(datagram);

    /// <summary>Seals a packet.</summary>
    /// <param name="type">Its type; there must be keys.</param>
    /// <param name="payload">Its frames.</param>
    /// <param name="number">Its number, or null: the next one.</param>
    /// <param name="firstBits">Bits that are set in its first byte, before header protection.</param>
    public byte[] Seal(PacketType type, byte[] payload, long? number = null, byte firstBits = 0)
    {
        HostileLevel level = _levels[LevelOf(type)];
        long used = number ?? level.NextNumber;
        level.NextNumber = Math.Max(level.NextNumber, used + 1);

        // RFC 9000 section 14.1: a client's Initial packets are in datagrams of 1200 bytes at least; a server's that ask for an answer, too.
        byte[] padded = type == PacketType.Initial ? [.. payload, .. new byte[Math.Max(0, 1160 - payload.Length)]] : payload;
        byte[] packet = new byte[padded.Length + 128];
        PacketLayout layout = type == PacketType.OneRtt
            ? ShortHeader.Write(packet, Victim, isSpinning: false, used, 4)
            : LongHeader.Write(packet, type, Victim, Own, token: default, used, 4);
        packet[0] |= firstBits;
        padded.CopyTo(packet.AsSpan(layout.PayloadOffset));
        int length = level.Write!.Seal(packet, layout, used, padded.Length);
        return packet[..length];
    }

    /// <summary>Goes on to the next keys, whether it may or not.</summary>
    public void UpdateKeys() => _levels[(int)EncryptionLevel.OneRtt].Write!.Update();

    /// <summary>The number of the next packet of a type.</summary>
    public long NextNumber(PacketType type) => _levels[LevelOf(type)].NextNumber;

    /// <summary>Where the next 1-RTT CRYPTO frame begins.</summary>
    public long CryptoWritten => _levels[(int)EncryptionLevel.OneRtt].CryptoWritten;

    /// <summary>Whether packets of a type can be sealed.</summary>
    public bool HasKeys(PacketType type) => _levels[LevelOf(type)].Write is not null;

    /// <inheritdoc/>
    public void HandleDatagram(TimeSpan now, PathId path, EcnCodepoint ecn, Span<byte> datagram)
    {
        ReceivedTotal = (ReceivedTotal.Datagrams + 1, ReceivedTotal.Bytes + datagram.Length);
        var packets = new CoalescedPackets(datagram, SimulatedRoutes.IdLength);
        while (packets.TryRead(out PacketSlice packet))
        {
            if (packet.Type is PacketType.Retry or PacketType.VersionNegotiation)
            {
                continue;
            }

            if (_tls is null)
            {
                Accept(packet.Destination, packet.Source);
            }

            Handle(packet);
        }
    }

    /// <inheritdoc/>
    public void HandleTimeout(TimeSpan now)
    {
    }

    /// <inheritdoc/>
    public void Work(TimeSpan now)
    {
        for (int i = 0; i < _levels.Length && Acknowledges; i++)
        {
            HostileLevel level = _levels[i];
            if (level.MustAcknowledge && level.Write is not null)
            {
                level.MustAcknowledge = false;
                Send(TypeOf((EncryptionLevel)i), level.MakeAck());
            }
        }
    }

    /// <inheritdoc/>
    public bool TryPollTransmit(TimeSpan now, Span<byte> buffer, int maxDatagrams, out Transmit transmit)
    {
        transmit = default;
        if (!_output.TryDequeue(out byte[]? datagram))
        {
            return false;
        }

        datagram.CopyTo(buffer);
        transmit = new Transmit(_path, datagram.Length, datagram.Length, EcnCodepoint.NotEct);
        return true;
    }

    public void Dispose()
    {
        _tls?.Dispose();
        foreach (HostileLevel level in _levels)
        {
            level.Dispose();
        }
    }

    private static byte[] Join(ReadOnlySpan<byte[]> frames)
    {
        byte[] all = [];
        foreach (byte[] frame in frames)
        {
            all = [.. all, .. frame];
        }

        return all;
    }

    private static int LevelOf(PacketType type) => type switch
    {
        PacketType.Initial => (int)EncryptionLevel.Initial,
        PacketType.Handshake => (int)EncryptionLevel.Handshake,
        _ => (int)EncryptionLevel.OneRtt,
    };

    private static PacketType TypeOf(EncryptionLevel level) => level switch
    {
        EncryptionLevel.Initial => PacketType.Initial,
        EncryptionLevel.Handshake => PacketType.Handshake,
        _ => PacketType.OneRtt,
    };

    private void Accept(in ConnectionId destination, in ConnectionId source)
    {
        Victim = source;
        UseInitialKeys(destination);
        byte[] parameters = Encode(new TransportParameters { OriginalDestinationConnectionId = destination });
        _tls = new TlsServer(SimulatedIdentities.ServerOptions() with { TransportParameters = parameters }, _random.NextBytes);
    }

    private byte[] Encode(TransportParameters basis)
    {
        TransportParameters parameters = Parameters(basis with
        {
            InitialSourceConnectionId = Own,
            InitialMaxData = 1 << 20,
            InitialMaxStreamDataBidirectionalLocal = 1 << 16,
            InitialMaxStreamDataBidirectionalRemote = 1 << 16,
            InitialMaxStreamDataUnidirectional = 1 << 16,
            InitialMaxStreamsBidirectional = 16,
            InitialMaxStreamsUnidirectional = 16,
            ActiveConnectionIdLimit = 8,
            MaxDatagramFrameSize = 65535,
        });
        byte[] bytes = new byte[TransportParameterWriter.MaxLength];
        return EncodedParameters(bytes[..TransportParameterWriter.Write(bytes, parameters, Role)]);
    }

    private void UseInitialKeys(in ConnectionId destination)
    {
        using var secrets = InitialSecrets.Derive(destination);
        _levels[0].Write = new RawKeys(_provider, secrets.WriteSecret(Role));
        _levels[0].Read = new RawKeys(_provider, secrets.ReadSecret(Role));
    }

    private void Handle(PacketSlice packet)
    {
        int index = LevelOf(packet.Type);
        HostileLevel level = _levels[index];
        if (level.Read is null || !level.Read.Open(packet.Bytes, packet.PacketNumberOffset, level.Largest, out UncoveredPacket uncovered))
        {
            return;
        }

        level.Largest = Math.Max(level.Largest, uncovered.PacketNumber);
        level.Numbers.Add(uncovered.PacketNumber);
        if (packet.Type == PacketType.Initial)
        {
            // A server's answer tells the id that it wants.
            Victim = packet.Source;
        }

        ReadFrames(packet.Type, (EncryptionLevel)index, packet.Bytes[uncovered.PayloadOffset..^PacketCiphers.TagLength]);
    }

    private void ReadFrames(PacketType type, EncryptionLevel level, ReadOnlySpan<byte> payload)
    {
        var reader = new FrameReader(payload, type, OtherRole);
        while (reader.MoveNext())
        {
            FrameType frame = FrameRules.IsStream(reader.Type) ? FrameType.Stream : reader.Type;
            Received[frame] = Received.GetValueOrDefault(frame) + 1;
            _levels[(int)level].MustAcknowledge |= FrameRules.IsAckEliciting(frame);
            if (frame == FrameType.Crypto && CryptoFrame.TryRead(ref reader, out CryptoFrame crypto))
            {
                TakeCrypto(level, crypto.Offset, crypto.Data);
            }
            else if (frame is FrameType.ConnectionClose or FrameType.ApplicationClose
                && ConnectionCloseFrame.TryRead(ref reader, out ConnectionCloseFrame close))
            {
                CloseCount++;
                Close ??= (close.IsApplication, close.ErrorCode, close.FrameType, System.Text.Encoding.UTF8.GetString(close.Reason));
            }
            else if (OnFrame is null || !OnFrame(ref reader))
            {
                FrameSkipper.TrySkip(ref reader);
            }
        }

        if (reader.Error.IsError)
        {
            throw new SimulationException($"the victim sent what may not be: {reader.Error}");
        }
    }

    private void TakeCrypto(EncryptionLevel at, long offset, ReadOnlySpan<byte> data)
    {
        HostileLevel level = _levels[(int)at];
        if (offset > level.CryptoRead || offset + data.Length <= level.CryptoRead || _tls is null)
        {
            return;
        }

        ReadOnlySpan<byte> fresh = data[(int)(level.CryptoRead - offset)..];
        level.CryptoRead += fresh.Length;
        _tls.Handle(at, fresh);
        TakeTls();
    }

    private void TakeTls()
    {
        while (_tls!.TryPoll(out TlsEvent next))
        {
            switch (next.Kind)
            {
                case TlsEventKind.Send:
                    SendCrypto(next.Level, Handshake(next.Level, next.Data.ToArray()));
                    break;
                case TlsEventKind.Secret:
                    Install(next.Secret!);
                    break;
                case TlsEventKind.TransportParameters:
                    TransportParameterReader.TryRead(next.Data.Span, OtherRole, out TransportParameters? parameters, out _);
                    VictimParameters = parameters;
                    break;
                case TlsEventKind.Complete when Role == EndpointRole.Server && ConfirmsHandshake && !_isDoneSent:
                    _isDoneSent = true;
                    Send(PacketType.OneRtt, RawFrames.HandshakeDone);
                    break;
                default:
                    break;
            }
        }
    }

    private void SendCrypto(EncryptionLevel at, byte[] bytes)
    {
        HostileLevel level = _levels[(int)at];
        for (int i = 0; i < bytes.Length; i += CryptoPerPacket)
        {
            byte[] piece = bytes[i..Math.Min(bytes.Length, i + CryptoPerPacket)];
            Send(TypeOf(at), RawFrames.Crypto(level.CryptoWritten, piece));
            level.CryptoWritten += piece.Length;
        }
    }

    private void Install(TlsSecret secret)
    {
        using (secret)
        {
            HostileLevel level = _levels[(int)secret.Level];
            var keys = new RawKeys(_provider, secret.Bytes);
            if (secret.Direction == SecretDirection.Read)
            {
                level.Read = keys;
            }
            else
            {
                level.Write = keys;
            }
        }
    }
}

/// <summary>Reads the body of the frame at which a reader stands.</summary>
/// <returns>Whether it did; otherwise the frame is skipped.</returns>
internal delegate bool HostileReader(ref FrameReader reader);
