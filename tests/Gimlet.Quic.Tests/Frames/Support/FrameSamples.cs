using Gimlet.Quic.Frames;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Frames.Support;

/// <summary>One valid frame of each type, from seeded random values.</summary>
internal static class FrameSamples
{
    /// <summary>Every type of frame that a 1-RTT packet of a server may have.</summary>
    public static IEnumerable<FrameType> Types =>
        Enumerable.Range(0, (int)FrameType.DatagramWithLength + 1).Select(type => (FrameType)type).Where(FrameRules.IsKnown);

    /// <summary>Every frame in a payload of its own, for mutations.</summary>
    public static IReadOnlyList<byte[]> Payloads(int seed)
    {
        var random = new Random(seed);
        return [.. Types.Select(type => Payload(type, random)), [.. Types.Where(HasEnd).SelectMany(type => Payload(type, random))]];
    }

    public static byte[] Payload(FrameType type, Random random)
    {
        byte[] buffer = new byte[1200];
        var writer = new WireWriter(buffer);
        Assert.True(TryWrite(ref writer, type, random));
        return buffer[..writer.Position];
    }

    /// <summary>Whether another frame can follow: it has a length.</summary>
    public static bool HasEnd(FrameType type) => type != FrameType.Datagram && !(FrameRules.IsStream(type) && ((int)type & 2) == 0);

    public static bool TryWrite(ref WireWriter writer, FrameType type, Random random)
    {
        switch (type)
        {
            case FrameType.Padding:
                PaddingFrame.Write(ref writer, random.Next(1, 20));
                return true;
            case FrameType.Ping:
                return PingFrame.TryWrite(ref writer);
            case FrameType.HandshakeDone:
                return HandshakeDoneFrame.TryWrite(ref writer);
            case FrameType.Ack or FrameType.AckEcn:
                EcnCounts? ecn = type == FrameType.AckEcn ? new EcnCounts(Number(random), Number(random), Number(random)) : null;
                return AckFrameWriter.Write(ref writer, Ranges(random), Number(random), ecn) > 0;
            case FrameType.ResetStream:
                return new ResetStreamFrame(Number(random), Number(random), Number(random)).TryWrite(ref writer);
            case FrameType.StopSending:
                return new StopSendingFrame(Number(random), Number(random)).TryWrite(ref writer);
            case FrameType.Crypto:
                return new CryptoFrame(Number(random) / 2, Bytes(random, 0)).TryWrite(ref writer);
            case FrameType.NewToken:
                return new NewTokenFrame(Bytes(random, 1)).TryWrite(ref writer);
            case FrameType.MaxData:
                return new MaxDataFrame(Number(random)).TryWrite(ref writer);
            case FrameType.MaxStreamData:
                return new MaxStreamDataFrame(Number(random), Number(random)).TryWrite(ref writer);
            case FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional:
                return new MaxStreamsFrame(type == FrameType.MaxStreamsUnidirectional, Number(random) / 4).TryWrite(ref writer);
            case FrameType.DataBlocked:
                return new DataBlockedFrame(Number(random)).TryWrite(ref writer);
            case FrameType.StreamDataBlocked:
                return new StreamDataBlockedFrame(Number(random), Number(random)).TryWrite(ref writer);
            case FrameType.StreamsBlockedBidirectional or FrameType.StreamsBlockedUnidirectional:
                return new StreamsBlockedFrame(type == FrameType.StreamsBlockedUnidirectional, Number(random) / 4).TryWrite(ref writer);
            case FrameType.NewConnectionId:
                return NewConnectionId(random).TryWrite(ref writer);
            case FrameType.RetireConnectionId:
                return new RetireConnectionIdFrame(Number(random)).TryWrite(ref writer);
            case FrameType.PathChallenge:
                return new PathChallengeFrame((ulong)random.NextInt64()).TryWrite(ref writer);
            case FrameType.PathResponse:
                return new PathResponseFrame((ulong)random.NextInt64()).TryWrite(ref writer);
            case FrameType.ConnectionClose:
                return ConnectionCloseFrame.ForTransport((TransportErrorCode)Number(random), (FrameType)Number(random), Bytes(random, 0))
                    .TryWrite(ref writer);
            case FrameType.ApplicationClose:
                return ConnectionCloseFrame.ForApplication(Number(random), Bytes(random, 0)).TryWrite(ref writer);
            case FrameType.Datagram or FrameType.DatagramWithLength:
                return TryWriteDatagram(ref writer, type == FrameType.Datagram, random);
            default:
                return TryWriteStream(ref writer, (int)type, random);
        }
    }

    /// <summary>A number of any of the four lengths.</summary>
    public static long Number(Random random) => random.NextInt64(VariableLengthInteger.MaxValue >> random.Next(62));

    public static AckRange[] Ranges(Random random)
    {
        long smallest = (1L << 30) + random.Next(1000);
        var ranges = new AckRange[random.Next(1, 12)];
        for (int i = 0; i < ranges.Length; i++)
        {
            long largest = smallest - 2 - random.Next(300);
            smallest = largest - random.Next(100);
            ranges[i] = new AckRange(smallest, largest);
        }

        return ranges;
    }

    private static bool TryWriteStream(ref WireWriter writer, int flags, Random random)
    {
        byte[] bytes = Bytes(random, 0);
        long offset = (flags & 4) != 0 ? 1 + (Number(random) / 2) : 0;
        bool isWritten = StreamFrame.TryReserve(
            ref writer, Number(random), offset, bytes.Length, (flags & 1) != 0, (flags & 2) == 0, out Span<byte> data);
        bytes.AsSpan(0, data.Length).CopyTo(data);
        return isWritten;
    }

    private static bool TryWriteDatagram(ref WireWriter writer, bool fillsPacket, Random random)
    {
        byte[] bytes = Bytes(random, 0);
        bool isWritten = DatagramFrame.TryReserve(ref writer, bytes.Length, fillsPacket, out Span<byte> data);
        bytes.AsSpan(0, data.Length).CopyTo(data);
        return isWritten;
    }

    private static NewConnectionIdFrame NewConnectionId(Random random)
    {
        long sequence = Number(random);
        Span<byte> token = stackalloc byte[StatelessResetToken.Length];
        random.NextBytes(token);
        return new NewConnectionIdFrame(
            sequence, random.NextInt64(sequence + 1), ConnectionId.Create(random.NextBytes, random.Next(1, 21)), new StatelessResetToken(token));
    }

    private static byte[] Bytes(Random random, int min)
    {
        byte[] bytes = new byte[random.Next(min, 30)];
        random.NextBytes(bytes);
        return bytes;
    }
}
