using System.Buffers;
using Gimlet.Connections;

namespace Gimlet.Tests.Connections;

public sealed class ControlMessagesTests
{
    [Fact]
    public void Messages_have_the_bytes_of_the_protocol()
    {
        Assert.Equal([0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 1], ControlMessages.WriteHello(0x0102030405060708));
        Assert.Equal(0, ControlMessages.WriteHello(1, usesDirect: false)[^1]);
        Assert.Equal(3, ControlMessages.WriteHello(1, usesRelay: false)[^1]);
        Assert.Equal([1, 0, 4, 0, 0, 0, 7], ControlMessages.WritePing(ControlMessages.Ping, 7));
        Assert.Equal([2, 0, 4, 255, 255, 255, 255], ControlMessages.WritePing(ControlMessages.Pong, uint.MaxValue));
        Assert.Equal([3, 0, 2, 9, 8], ControlMessages.Write(ControlMessages.Finding, [9, 8]));
    }

    [Fact]
    public void Messages_are_read_one_after_the_other_however_they_are_cut()
    {
        byte[][] sent =
        [
            ControlMessages.WriteHello(42),
            ControlMessages.WritePing(ControlMessages.Ping, 1),
            ControlMessages.Write(200, []),
            ControlMessages.Write(77, new byte[ControlMessages.MaxPayload]),
            ControlMessages.WritePing(ControlMessages.Pong, 2),
        ];
        byte[] all = [.. sent.SelectMany(static m => m)];
        var random = new Random(20261120);
        for (int round = 0; round < 200; round++)
        {
            // What is there grows by pieces, in segments of any length; what was read goes.
            var got = new List<byte[]>();
            int start = 0;
            int end = 0;
            while (end < all.Length)
            {
                end = Math.Min(all.Length, end + random.Next(1, 40));
                ReadOnlySequence<byte> buffer = Cut(all.AsMemory(start, end - start), random);
                long before = buffer.Length;
                while (ControlMessages.TryRead(ref buffer, out byte type, out byte[] payload))
                {
                    got.Add(ControlMessages.Write(type, payload));
                }

                start += (int)(before - buffer.Length);
            }

            Assert.Equal(sent, got);
        }
    }

    [Fact]
    public void A_message_that_is_longer_than_any_is_an_error_as_soon_as_its_length_is_known()
    {
        byte[] header = [1, (ControlMessages.MaxPayload + 1) >> 8, (ControlMessages.MaxPayload + 1) & 0xFF];
        _ = Assert.Throws<InvalidDataException>(() => Read(header));
        _ = Assert.Throws<InvalidDataException>(() => Read([0, 0xFF, 0xFF, 1, 2, 3]));
        Assert.False(Read([1, 0xFF]));
    }

    [Fact]
    public void Nothing_that_a_peer_sends_makes_the_reader_fail_otherwise_or_read_beyond_the_end()
    {
        var random = new Random(7);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = new byte[random.Next(0, 64)];
            random.NextBytes(bytes);
            if (bytes.Length > 1 && random.Next(2) == 0)
            {
                bytes[1] = 0;
            }

            ReadOnlySequence<byte> buffer = Cut(bytes, random);
            try
            {
                long left = buffer.Length;
                while (ControlMessages.TryRead(ref buffer, out _, out byte[] payload))
                {
                    Assert.Equal(left - ControlMessages.HeaderLength - payload.Length, buffer.Length);
                    left = buffer.Length;
                }

                Assert.Equal(left, buffer.Length);
            }
            catch (InvalidDataException)
            {
                // As it should be for a length beyond the limit.
            }
        }
    }

    [Fact]
    public void A_finding_survives_its_way()
    {
        foreach (RaceOutcome direct in Enum.GetValues<RaceOutcome>())
        {
            foreach (PathKind? winner in new PathKind?[] { null, PathKind.Relay, PathKind.Direct })
            {
                var finding = new RaceFinding(direct, RaceOutcome.Works, TimeSpan.FromMilliseconds(12), TimeSpan.FromMilliseconds(uint.MaxValue), winner);
                byte[] payload = finding.Write();
                Assert.Equal(RaceFinding.Length, payload.Length);
                Assert.True(RaceFinding.TryRead(payload, out RaceFinding read));
                Assert.Equal(finding, read);
                Assert.True(RaceFinding.TryRead([.. payload, 1, 2, 3], out read), "a later version may say more");
                Assert.Equal(finding, read);
            }
        }
    }

    [Fact]
    public void Times_that_do_not_fit_are_the_nearest_that_do()
    {
        byte[] payload = new RaceFinding(default, default, TimeSpan.FromSeconds(-1), TimeSpan.MaxValue, null).Write();
        Assert.True(RaceFinding.TryRead(payload, out RaceFinding read));
        Assert.Equal((TimeSpan.Zero, TimeSpan.FromMilliseconds(uint.MaxValue)), (read.ToDirect, read.ToRelay));
    }

    [Fact]
    public void A_finding_that_cannot_be_is_none()
    {
        byte[] good = new RaceFinding(RaceOutcome.Works, RaceOutcome.Works, default, default, PathKind.Direct).Write();
        for (int length = 0; length < good.Length; length++)
        {
            Assert.False(RaceFinding.TryRead(good.AsSpan(0, length), out _));
        }

        foreach ((int at, byte value) in new[] { (0, (byte)0), (0, (byte)2), (1, (byte)4), (2, (byte)4), (1, (byte)255), (11, (byte)3), (11, (byte)255) })
        {
            byte[] bad = [.. good];
            bad[at] = value;
            Assert.False(RaceFinding.TryRead(bad, out _), $"byte {at} = {value}");
        }
    }

    private static bool Read(byte[] bytes)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        return ControlMessages.TryRead(ref buffer, out _, out _);
    }

    private static ReadOnlySequence<byte> Cut(ReadOnlyMemory<byte> bytes, Random random)
    {
        Segment? first = null;
        Segment? last = null;
        while (bytes.Length > 0)
        {
            int length = random.Next(1, Math.Min(bytes.Length, 7) + 1);
            last = last is null ? first = new Segment(bytes[..length], 0) : last.Append(bytes[..length]);
            bytes = bytes[length..];
        }

        return first is null ? default : new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> bytes, long index)
        {
            Memory = bytes;
            RunningIndex = index;
        }

        public Segment Append(ReadOnlyMemory<byte> bytes)
        {
            var next = new Segment(bytes, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
