using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Streams.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Streams;

// What is measured is the whole process's: no other test runs meanwhile.
[Collection(nameof(StreamMemoryTests))]
[CollectionDefinition(nameof(StreamMemoryTests), DisableParallelization = true)]
public sealed class StreamMemoryTests
{
    private static readonly StreamSetSettings Settings = new();

    [Theory]
    [InlineData(1, 0)]
    [InlineData(5, 0)]
    [InlineData(1, 7)]
    public void Sending_receiving_losing_and_acknowledging_allocates_nothing(int streamCount, int lossEvery)
    {
        var pair = new StreamPair(Settings);
        QuicStreamState[] streams = [.. Enumerable.Range(0, streamCount).Select(_ => pair.Client.Open())];
        byte[] data = new byte[4000], room = new byte[5000], payload = new byte[1200];
        var sent = new SentFrameList();
        var back = new SentFrameList();
        int count = 0;
        long total = 0;
        Allocations.AssertNone(() =>
        {
            foreach (QuicStreamState stream in streams)
            {
                _ = stream.Write(data);
            }

            while (pair.Client.Set.HasFramesToSend)
            {
                var writer = new WireWriter(payload);
                sent.Clear();
                pair.Client.Set.WriteFrames(ref writer, sent, mayFillPacket: true);
                count++;
                if (lossEvery > 0 && count % lossEvery == 0)
                {
                    Lose(pair.Client.Set, sent);
                    continue;
                }

                Receive(pair.Server.Set, writer.Written);
                Acknowledge(pair.Client.Set, sent);
            }

            while (pair.Server.Set.TryPollEvent(out StreamEvent next))
            {
                total += next.Stream!.Read(room);
                next.Stream.Advance(next.Stream.Available);
            }

            while (pair.Server.Set.HasFramesToSend)
            {
                var writer = new WireWriter(payload);
                back.Clear();
                pair.Server.Set.WriteFrames(ref writer, back, mayFillPacket: true);
                ReceiveLimits(pair.Client.Set, writer.Written);
                Acknowledge(pair.Server.Set, back);
            }
        });
        Assert.Equal(2L * Allocations.Runs * streamCount * data.Length, total);
    }

    [Fact]
    public void An_idle_set_costs_less_than_two_kilobytes()
    {
        const int Count = 200;
        var sets = new StreamSet[Count];
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Count; i++)
        {
            sets[i] = new StreamSet(EndpointRole.Client, Settings);
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / Count, 1, 2000);
    }

    [Fact]
    public void A_hundred_thousand_streams_one_after_the_other_leave_nothing_behind()
    {
        var pair = new StreamPair(Settings);
        long before = 0;
        for (int i = 0; i < 100_000; i++)
        {
            if (i == 10_000)
            {
                before = GC.GetTotalMemory(forceFullCollection: true);
            }

            QuicStreamState stream = pair.Client.Open(i % 2 == 0 ? StreamDirection.Bidirectional : StreamDirection.Unidirectional);
            _ = stream.Write("request"u8);
            stream.Finish();
            pair.Flush();
            QuicStreamState twin = pair.Twin(stream);
            Assert.Equal("request".Length, twin.Available);
            twin.Advance(twin.Available);
            if (twin.CanWrite)
            {
                twin.Finish();
            }

            Drain(pair.Server.Set);
            pair.Flush();
            Drain(pair.Client.Set);
            Drain(pair.Server.Set);
        }

        pair.Flush();
        Assert.Equal((0, 0), (pair.Client.Set.OpenCount, pair.Server.Set.OpenCount));
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 512 * 1024);
        GC.KeepAlive(pair);
    }

    /// <summary>
    /// One byte in every second place: the incident class is a buffer for each frame. Here a byte costs its place, so the window is the bound:
    /// before the pieces are too many, 4 KiB of window hold them.
    /// </summary>
    [Fact]
    public void Frames_of_one_byte_cannot_make_a_set_keep_more_than_its_window()
    {
        StreamEnd server = new StreamPair(Settings).Server;
        Assert.False(server.Set.Handle(new StreamFrame(0, 0, "x"u8, isFinal: false)).IsError);
        byte[] one = [1];
        long before = GC.GetAllocatedBytesForCurrentThread();
        QuicError error = QuicError.None;
        int count = 0;
        for (long offset = 2; !error.IsError && offset < Settings.InitialStreamWindow; offset += 2)
        {
            error = server.Set.Handle(new StreamFrame(0, offset, one, isFinal: false));
            count++;
        }

        Assert.Equal((TransportErrorCode.InternalError, ReceiveBuffer.MaxRanges + 1), (error.Code, count));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 * 1024);
    }

    [Fact]
    public void Bytes_far_apart_cost_no_more_than_the_window()
    {
        StreamEnd server = new StreamPair(Settings).Server;
        byte[] one = [1];
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (long offset = 0; offset < Settings.InitialStreamWindow; offset += 1000)
        {
            Assert.False(server.Set.Handle(new StreamFrame(0, offset + 1, one, isFinal: false)).IsError);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Settings.InitialStreamWindow + (64 * 1024));
    }

    private static void Drain(StreamSet set)
    {
        while (set.TryPollEvent(out _))
        {
        }
    }

    private static void Receive(StreamSet set, ReadOnlySpan<byte> payload)
    {
        var reader = new FrameReader(payload, PacketType.OneRtt, EndpointRole.Client);
        while (reader.MoveNext())
        {
            if (!StreamFrame.TryRead(ref reader, out StreamFrame frame) || set.Handle(frame).IsError)
            {
                throw new InvalidOperationException("A packet was not taken.");
            }
        }
    }

    private static void ReceiveLimits(StreamSet set, ReadOnlySpan<byte> payload)
    {
        var reader = new FrameReader(payload, PacketType.OneRtt, EndpointRole.Server);
        while (reader.MoveNext())
        {
            if (reader.Type == FrameType.MaxData)
            {
                _ = MaxDataFrame.TryRead(ref reader, out MaxDataFrame maxData);
                _ = set.Handle(maxData);
            }
            else
            {
                _ = MaxStreamDataFrame.TryRead(ref reader, out MaxStreamDataFrame maxStreamData);
                _ = set.Handle(maxStreamData);
            }
        }
    }

    private static void Acknowledge(StreamSet set, SentFrameList frames)
    {
        foreach (SentFrame frame in frames.Frames)
        {
            set.OnAcknowledged(frame);
        }
    }

    private static void Lose(StreamSet set, SentFrameList frames)
    {
        foreach (SentFrame frame in frames.Frames)
        {
            set.OnLost(frame);
        }
    }
}
