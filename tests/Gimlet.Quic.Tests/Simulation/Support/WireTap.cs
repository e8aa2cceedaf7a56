using Gimlet.Quic.Frames;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Tests.Frames.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>A packet that was opened on the wire.</summary>
/// <param name="From">Who sent it.</param>
/// <param name="Type">Its type.</param>
/// <param name="Number">Its number.</param>
/// <param name="KeyPhase">The generation of its keys; 0 but for 1-RTT packets.</param>
/// <param name="Destination">Its Destination Connection ID.</param>
/// <param name="Datagram">What it came in.</param>
/// <param name="Payload">Its frames.</param>
internal sealed record TappedPacket(
    EndpointRole From, PacketType Type, long Number, int KeyPhase, ConnectionId Destination, SimulatedDatagram Datagram, byte[] Payload)
{
    private const int MaxLineLength = 80;
    private IReadOnlyList<FrameType>? _frames;

    /// <summary>The types of its frames, STREAM without its flags.</summary>
    public IReadOnlyList<FrameType> Frames => _frames ??= ReadTypes();

    public bool Contains(FrameType type) => Frames.Contains(type);

    public bool IsAckEliciting => Frames.Any(FrameRules.IsAckEliciting);

    /// <inheritdoc/>
    public override string ToString()
    {
        IEnumerable<string> frames = FrameText.Of(Payload, out _, new byte[Payload.Length + 100], out _)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Length > MaxLineLength ? $"{line[..MaxLineLength]}..({line.Length / 2})" : line);
        return $"  {Datagram.SentAt.TotalMilliseconds,10:F3} ms  {From} #{Datagram.Index} {Datagram.Way.Name} {Type} {Number}: {string.Join(", ", frames)}";
    }

    private List<FrameType> ReadTypes()
    {
        var types = new List<FrameType>();
        var reader = new FrameReader(Payload, Type, From);
        while (reader.MoveNext())
        {
            types.Add(FrameRules.IsStream(reader.Type) ? FrameType.Stream : reader.Type);
            if (!FrameSkipper.TrySkip(ref reader))
            {
                break;
            }
        }

        return reader.Error.IsError ? throw new SimulationException($"{From} sent what may not be: {reader.Error}") : types;
    }
}

/// <summary>Opens the packets of both sides in the order in which they are sent, with the keys that their TLS logs.</summary>
internal sealed class WireTap(IProtectionProvider provider) : IDisposable
{
    private const int DescribedPackets = 100;
    private readonly Direction[] _directions = [new(provider, EndpointRole.Client), new(provider, EndpointRole.Server)];
    private ConnectionId? _initial;

    /// <summary>All packets with a packet number, in order.</summary>
    public List<TappedPacket> Packets { get; } = [];

    /// <summary>Packets that could not be opened, which should be none.</summary>
    public int Unreadable { get; private set; }

    /// <summary>Every type of frame that was sent.</summary>
    public HashSet<FrameType> FrameTypes => [.. Packets.SelectMany(p => p.Frames)];

    public IEnumerable<TappedPacket> From(EndpointRole side) => Packets.Where(p => p.From == side);

    /// <summary>The last packets with their frames.</summary>
    public string Describe() => string.Join('\n', Packets.TakeLast(DescribedPackets).Select(p => p.ToString()));

    /// <summary>Takes a line of the key log; both sides log the same ones.</summary>
    public void AddKeys(string line)
    {
        string[] parts = line.Split(' ');
        EndpointRole side = parts[0].StartsWith("CLIENT", StringComparison.Ordinal) ? EndpointRole.Client : EndpointRole.Server;
        bool isHandshake = parts[0].Contains("HANDSHAKE", StringComparison.Ordinal);
        _directions[(int)side].Add(isHandshake ? PacketType.Handshake : PacketType.OneRtt, Convert.FromHexString(parts[2]));
    }

    /// <summary>Opens what is in a datagram.</summary>
    public void Read(SimulatedDatagram datagram)
    {
        byte[] bytes = [.. datagram.Bytes];
        var packets = new CoalescedPackets(bytes, SimulatedRoutes.IdLength);
        while (packets.TryRead(out PacketSlice packet))
        {
            if (packet.Type == PacketType.Retry)
            {
                Assert.True(RetryPacket.TryRead(packet.Bytes, out RetryPacket retry));
                UseInitial(retry.Source);
            }
            else if (packet.Type != PacketType.VersionNegotiation)
            {
                Open(datagram, packet);
            }
        }
    }

    public void Dispose()
    {
        foreach (Direction direction in _directions)
        {
            direction.Dispose();
        }
    }

    private void Open(SimulatedDatagram datagram, PacketSlice packet)
    {
        if (packet.Type == PacketType.Initial && _initial is null)
        {
            UseInitial(packet.Destination);
        }

        if (_directions[(int)datagram.From].Open(packet, out long number, out int phase, out byte[] payload))
        {
            Packets.Add(new TappedPacket(datagram.From, packet.Type, number, phase, packet.Destination, datagram, payload));
        }
        else
        {
            Unreadable++;
        }
    }

    private void UseInitial(in ConnectionId id)
    {
        _initial = id;
        using var secrets = InitialSecrets.Derive(id);
        _directions[0].Add(PacketType.Initial, secrets.Client);
        _directions[1].Add(PacketType.Initial, secrets.Server);
    }

    /// <summary>What one side sends.</summary>
    private sealed class Direction(IProtectionProvider provider, EndpointRole side) : IDisposable
    {
        private readonly Dictionary<PacketType, RawKeys> _keys = [];
        private readonly long[] _largest = [PacketNumber.None, PacketNumber.None, PacketNumber.None, PacketNumber.None, PacketNumber.None];

        public void Add(PacketType type, ReadOnlySpan<byte> secret)
        {
            if (type == PacketType.Initial || !_keys.ContainsKey(type))
            {
                if (_keys.Remove(type, out RawKeys? old))
                {
                    old.Dispose();
                }

                _keys.Add(type, new RawKeys(provider, secret));
            }
        }

        public bool Open(PacketSlice packet, out long number, out int phase, out byte[] payload)
        {
            number = 0;
            phase = 0;
            payload = [];
            if (!_keys.TryGetValue(packet.Type, out RawKeys? keys)
                || !keys.Open(packet.Bytes, packet.PacketNumberOffset, _largest[(int)packet.Type], out UncoveredPacket uncovered))
            {
                return false;
            }

            if (packet.Type != PacketType.Initial && uncovered.PacketNumber <= _largest[(int)packet.Type])
            {
                throw new SimulationException($"{side} used packet number {uncovered.PacketNumber} twice");
            }

            number = uncovered.PacketNumber;
            phase = keys.Generation;
            _largest[(int)packet.Type] = number;
            payload = packet.Bytes[uncovered.PayloadOffset..^PacketCiphers.TagLength].ToArray();
            return true;
        }

        public void Dispose()
        {
            foreach (RawKeys keys in _keys.Values)
            {
                keys.Dispose();
            }
        }
    }
}
