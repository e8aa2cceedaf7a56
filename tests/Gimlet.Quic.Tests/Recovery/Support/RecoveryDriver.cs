using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Recovery.Support;

/// <summary>A sender with a clock that stands still until it is told to move, and a record of what its packets became.</summary>
internal sealed class RecoveryDriver : IRecoveryEvents
{
    private readonly byte[] _buffer = new byte[2000];
    private readonly SentFrame[] _frame = new SentFrame[1];
    private readonly Dictionary<int, PathRecovery> _paths = [];

    public RecoveryDriver(EndpointRole role = EndpointRole.Server, RecoverySettings? settings = null, Action<Span<byte>>? random = null, bool ecn = false)
    {
        Settings = settings ?? RecoverySettings.Default;
        Loss = new LossDetection(Settings, role, this, random) { IsHandshakeConfirmed = true, PeerMaxAckDelay = Ms(25) };
        Path = AddPath(0, ecn);
    }

    public RecoverySettings Settings { get; }

    public LossDetection Loss { get; }

    /// <summary>The path with the number 0.</summary>
    public PathRecovery Path { get; }

    public TimeSpan Now { get; set; } = TimeSpan.FromSeconds(100);

    public bool IsRecording { get; set; } = true;

    /// <summary>The path that acknowledgements come on; null where it makes no difference.</summary>
    public PathId? AckWay { get; set; }

    public List<long> Acknowledged { get; } = [];

    public List<long> Lost { get; } = [];

    public List<SentFrame> AcknowledgedFrames { get; } = [];

    public List<SentFrame> LostFrames { get; } = [];

    public int PersistentCongestions { get; private set; }

    public static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    public PathRecovery AddPath(int id, bool ecn = false)
    {
        var path = new PathRecovery(Settings, new PathId(id), 1200, ecn);
        Loss.AddPath(path);
        _paths[id] = path;
        return path;
    }

    /// <summary>What is known of a path, also after it was removed.</summary>
    public PathRecovery PathOf(int id) => _paths[id];

    public void Advance(double milliseconds) => Now += Ms(milliseconds);

    /// <summary>Sends a packet with one STREAM frame whose offset is the packet number.</summary>
    public long Send(
        int path = 0, PacketNumberSpace space = PacketNumberSpace.Application, int size = 1200, bool isMtuProbe = false, EcnCodepoint? ecn = null)
    {
        long number = Loss.NextPacketNumber(space);
        _frame[0] = new SentFrame(FrameType.Stream, 4, number, size);
        EcnCodepoint mark = ecn ?? _paths[path].NextEcn;
        Loss.OnPacketSent(space, new SentPacket(number, Now, new PathId(path), size, true, true, isMtuProbe, mark), _frame);
        return number;
    }

    /// <summary>Sends a packet with nothing but an ACK.</summary>
    public long SendAck(int path = 0, PacketNumberSpace space = PacketNumberSpace.Application, int size = 40)
    {
        long number = Loss.NextPacketNumber(space);
        _frame[0] = new SentFrame(FrameType.Ack, 0, number);
        Loss.OnPacketSent(space, new SentPacket(number, Now, new PathId(path), size, false, false), _frame);
        return number;
    }

    public void SendMany(int count, int path = 0)
    {
        for (int i = 0; i < count; i++)
        {
            _ = Send(path);
        }
    }

    public QuicError Ack(params ReadOnlySpan<long> numbers) => AckIn(PacketNumberSpace.Application, TimeSpan.Zero, null, numbers);

    public QuicError AckIn(PacketNumberSpace space, TimeSpan delay, EcnCounts? ecn, params ReadOnlySpan<long> numbers)
    {
        Span<AckRange> ranges = stackalloc AckRange[AckFrameWriter.MaxRanges];
        int count = 0;
        foreach (long number in numbers)
        {
            ranges[count++] = new AckRange(number, number);
        }

        ranges[..count].Sort((a, b) => b.Largest.CompareTo(a.Largest));
        int merged = 0;
        for (int i = 1; i < count; i++)
        {
            if (ranges[i].Largest == ranges[merged].Smallest - 1)
            {
                ranges[merged] = ranges[merged] with { Smallest = ranges[i].Smallest };
            }
            else
            {
                ranges[++merged] = ranges[i];
            }
        }

        return AckRanges(space, delay, ecn, ranges[..(merged + 1)]);
    }

    public QuicError AckRange(long smallest, long largest)
        => AckRanges(PacketNumberSpace.Application, TimeSpan.Zero, null, [new AckRange(smallest, largest)]);

    public QuicError AckRanges(PacketNumberSpace space, TimeSpan delay, EcnCounts? ecn, ReadOnlySpan<AckRange> ranges)
    {
        var writer = new WireWriter(_buffer);
        int written = AckFrameWriter.Write(ref writer, ranges, 0, ecn);
        if (written != ranges.Length)
        {
            throw new InvalidOperationException("The ranges do not fit a frame.");
        }

        return AckBytes(space, delay, writer.Written);
    }

    public QuicError AckBytes(PacketNumberSpace space, TimeSpan delay, ReadOnlySpan<byte> payload)
    {
        var reader = new FrameReader(payload, PacketType.OneRtt, EndpointRole.Client);
        if (!reader.MoveNext() || !AckFrame.TryRead(ref reader, out AckFrame frame))
        {
            throw new InvalidOperationException(reader.Error.ToString());
        }

        return Loss.OnAckReceived(Now, space, frame, delay, AckWay);
    }

    /// <summary>Moves the clock to the next timeout, and handles it.</summary>
    public ProbeRequest? RunTimer()
    {
        Assert.NotNull(Loss.NextTimeout);
        if (Loss.NextTimeout.Value > Now)
        {
            Now = Loss.NextTimeout.Value;
        }

        return Loss.HandleTimeout(Now, out ProbeRequest probe) ? probe : null;
    }

    /// <summary>One packet there and its acknowledgement back: a first RTT sample.</summary>
    public void Sample(double milliseconds, int path = 0)
    {
        long number = Send(path);
        Advance(milliseconds);
        Assert.False(Ack(number).IsError);
    }

    void IRecoveryEvents.OnFrameAcknowledged(PacketNumberSpace space, in SentFrame frame)
    {
        if (IsRecording)
        {
            AcknowledgedFrames.Add(frame);
        }
    }

    void IRecoveryEvents.OnFrameLost(PacketNumberSpace space, in SentFrame frame)
    {
        if (IsRecording)
        {
            LostFrames.Add(frame);
        }
    }

    void IRecoveryEvents.OnPacketAcknowledged(PacketNumberSpace space, in SentPacket packet)
    {
        if (IsRecording)
        {
            Acknowledged.Add(packet.PacketNumber);
        }
    }

    void IRecoveryEvents.OnPacketLost(PacketNumberSpace space, in SentPacket packet)
    {
        if (IsRecording)
        {
            Lost.Add(packet.PacketNumber);
        }
    }

    void IRecoveryEvents.OnPersistentCongestion(PathId path) => PersistentCongestions++;
}
