using Gimlet.Server.Observability;
using Gimlet.Server.Relay;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Relay;

public sealed class RelayQueueTests
{
    private static readonly PeerId Receiver = new(Enumerable.Repeat((byte)9, PeerId.Size).ToArray());
    private readonly RelayMemory _memory = new(512 * 1024, 16 * 1024 * 1024);
    private readonly RelayQueue _queue;
    private readonly RelaySession[] _senders;

    public RelayQueueTests()
    {
        _queue = new RelayQueue(_memory, ServerMetrics.Detached);
        _senders = [.. Enumerable.Range(0, 4).Select(_ => new RelaySession(new RendezvousLimits(), _memory, ServerMetrics.Detached, TimeSpan.Zero))];
    }

    [Fact]
    public void Only_the_first_frame_asks_for_somebody_who_takes_them_out()
    {
        Assert.True(Put(0, 1, 1500));
        Assert.False(Put(0, 2, 1400));
        Assert.False(Put(1, 3, 1500));
        Assert.Equal(3, TakeAll().Count);
        Assert.True(Put(0, 4, 1500));
    }

    [Fact]
    public void A_senders_frames_stay_in_order()
    {
        for (int i = 0; i < 200; i++)
        {
            _ = Put(i % 3, i, 100 + i);
        }

        List<(int Sender, int Number)> all = TakeAll();
        Assert.Equal(200, all.Count);
        Assert.All(all.GroupBy(f => f.Sender), g => Assert.Equal(g.Select(f => f.Number).Order(), g.Select(f => f.Number)));
    }

    [Fact]
    public void Two_senders_share_evenly_by_bytes_though_one_sends_large_frames_and_the_other_small_ones()
    {
        for (int i = 0; i < 4; i++)
        {
            PutBatch(0, i, segments: 60, 1000);
        }

        for (int i = 0; i < 100; i++)
        {
            _ = Put(1, i, 1000);
        }

        int large = 0;
        int small = 0;
        while (small < 100_000 && _queue.TryDequeue(out RelayedFrame frame))
        {
            (large, small) = frame.Bytes.Span[RelayFrame.BatchHeaderLength] == 0 ? (large + frame.Length, small) : (large, small + (frame.Datagrams * 1000));
            RelayBuffers.Return(frame.Buffer);
            Assert.InRange(large - small, -2 * RelayFrame.MaxLength, 2 * RelayFrame.MaxLength);
        }

        Assert.Equal(100_000, small);
    }

    [Fact]
    public void A_frame_behind_a_flood_waits_for_one_large_frame_and_no_more()
    {
        for (int i = 0; i < 7; i++)
        {
            PutBatch(0, i, segments: 60, 1000);
        }

        _ = Put(1, 77, 500);
        List<(int Sender, int Number)> all = TakeAll();
        Assert.InRange(all.FindIndex(f => f.Sender == 1), 0, 1);
        Assert.Equal(8, all.Count);
    }

    [Fact]
    public void When_it_is_full_the_oldest_frames_of_the_sender_with_the_most_go_and_nobody_elses()
    {
        _ = Put(1, 1000, 500);
        _ = Put(2, 2000, 500);
        for (int i = 0; i < 1000; i++)
        {
            // Of growing sizes, so that they are not joined.
            _ = Put(0, i, 500 + i);
        }

        Assert.InRange(_queue.Held, 256 * 1024, 512 * 1024);
        Assert.Equal(_queue.Held, _memory.Held);
        List<(int Sender, int Number)> all = TakeAll();
        Assert.Contains((1, 1000), all);
        Assert.Contains((2, 2000), all);
        int[] left = [.. all.Where(f => f.Sender == 0).Select(f => f.Number)];
        Assert.InRange(left.Length, 100, 999);
        Assert.Equal(Enumerable.Range(1000 - left.Length, left.Length), left);
        Assert.Equal(1000 - left.Length, _senders[0].Notices.TakeLimited(TimeSpan.Zero)!.Dropped);
        Assert.Null(_senders[1].Notices.TakeLimited(TimeSpan.Zero));
        Assert.Equal(0, _memory.Held);
    }

    [Fact]
    public void Single_datagrams_of_one_size_that_wait_go_out_as_one_batch()
    {
        for (int i = 0; i < 6; i++)
        {
            _ = Put(0, i, 1000);
        }

        _ = Put(0, 6, 400);
        _ = Put(0, 7, 400);
        _ = Put(0, 8, 900);
        Assert.True(_queue.TryDequeue(out RelayedFrame frame));
        (PeerId from, byte[][] datagrams) = Frames.Read(frame.Bytes.ToArray());
        Assert.Equal((Receiver, 7), (from, frame.Datagrams));
        Assert.Equal([1000, 1000, 1000, 1000, 1000, 1000, 400], datagrams.Select(d => d.Length));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], datagrams.Select(d => (int)BitConverter.ToUInt16(d.AsSpan(1))));
        Assert.Equal([7, 8], TakeAll().Select(f => f.Number));
    }

    [Fact]
    public void Beyond_the_memory_of_all_each_receiver_keeps_room_for_one_large_frame()
    {
        var memory = new RelayMemory(512 * 1024, 1024 * 1024);
        RelayQueue[] deaf = [.. Enumerable.Range(0, 4).Select(_ => new RelayQueue(memory, ServerMetrics.Detached))];
        foreach (RelayQueue queue in deaf)
        {
            for (int i = 0; i < 20; i++)
            {
                _ = queue.Enqueue(_senders[0], Frame(0, i, 60_000));
            }
        }

        Assert.All(deaf, q => Assert.InRange(q.Held, 64 * 1024, 512 * 1024));
        Assert.InRange(memory.Held, 1024 * 1024, (1024 * 1024) + (4 * 64 * 1024));
        Assert.Equal(memory.Held, deaf.Sum(q => q.Held));
        var reader = new RelayQueue(memory, ServerMetrics.Detached);
        Assert.True(reader.Enqueue(_senders[1], Frame(1, 5, 60_000)));
        Assert.True(reader.TryDequeue(out RelayedFrame frame));
        RelayBuffers.Return(frame.Buffer);
        foreach (RelayQueue queue in deaf)
        {
            queue.Close();
        }

        Assert.Equal(0, memory.Held);
    }

    [Fact]
    public void A_closed_queue_gives_back_what_waits_and_takes_nothing()
    {
        _ = Put(0, 1, 1000);
        _ = Put(1, 2, 1000);
        _queue.Close();
        Assert.Equal(0, _memory.Held);
        Assert.False(Put(0, 3, 1000));
        Assert.False(_queue.TryDequeue(out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_the_order_every_datagram_comes_out_once_in_its_senders_order_or_is_counted_as_dropped(int seed)
    {
        var random = new Random(seed);
        int[] next = new int[4];
        int[] seen = [-1, -1, -1, -1];
        int taken = 0;
        for (int step = 0; step < 30_000; step++)
        {
            if (random.Next(10) < 9)
            {
                int sender = random.Next(4);
                _ = Put(sender, next[sender]++, random.Next(2) == 0 ? 1000 : random.Next(10, 3000));
            }
            else
            {
                Take();
            }

            Assert.InRange(_queue.Held, 0, 512 * 1024);
        }

        while (Take())
        {
        }

        long dropped = _senders.Sum(s => s.Notices.TakeLimited(TimeSpan.Zero)?.Dropped ?? 0);
        Assert.True(dropped > 0, "the load is meant to overflow");
        Assert.Equal(next.Sum(), taken + dropped);
        Assert.Equal((0, 0), (_queue.Held, _memory.Held));

        bool Take()
        {
            if (!_queue.TryDequeue(out RelayedFrame frame))
            {
                return false;
            }

            foreach ((int sender, int number) in Read(frame))
            {
                Assert.True(number > seen[sender], "order within a sender");
                seen[sender] = number;
                taken++;
            }

            return true;
        }
    }

    [Fact]
    public void In_steady_state_nothing_is_allocated()
    {
        void Round()
        {
            for (int i = 0; i < 50; i++)
            {
                byte[] buffer = RelayBuffers.Rent(1200);
                _ = RelayFrame.WriteHeader(buffer, Receiver, 0, isBatch: false);
                _ = _queue.Enqueue(_senders[i % 3], new RelayedFrame(buffer, 1200, 1, IsSingle: true));
            }

            while (_queue.TryDequeue(out RelayedFrame frame))
            {
                RelayBuffers.Return(frame.Buffer);
            }
        }

        for (int i = 0; i < 100; i++)
        {
            Round();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200; i++)
        {
            Round();
        }

        // A thread that moves to another core fills that core's shelf once; 10,000 frames that allocated would show.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
    }

    private static RelayedFrame Frame(int sender, int number, int length)
    {
        byte[] buffer = RelayBuffers.Rent(RelayFrame.SingleHeaderLength + length);
        int at = RelayFrame.WriteHeader(buffer, Receiver, 0, isBatch: false);
        buffer[at] = (byte)sender;
        _ = BitConverter.TryWriteBytes(buffer.AsSpan(at + 1), (ushort)number);
        return new RelayedFrame(buffer, at + length, 1, IsSingle: true);
    }

    private static List<(int Sender, int Number)> Read(in RelayedFrame frame)
    {
        (_, byte[][] datagrams) = Frames.Read(frame.Bytes.ToArray());
        RelayBuffers.Return(frame.Buffer);
        return [.. datagrams.Select(d => ((int)d[0], (int)BitConverter.ToUInt16(d.AsSpan(1))))];
    }

    private bool Put(int sender, int number, int length) => _queue.Enqueue(_senders[sender], Frame(sender, number, length));

    private void PutBatch(int sender, int number, int segments, int size)
    {
        byte[] buffer = RelayBuffers.Rent(RelayFrame.BatchHeaderLength + (segments * size));
        int at = RelayFrame.WriteHeader(buffer, Receiver, size, isBatch: true);
        buffer[at] = (byte)sender;
        _ = BitConverter.TryWriteBytes(buffer.AsSpan(at + 1), (ushort)number);

        // One datagram as far as the order of frames is concerned: the others are not looked at.
        _ = _queue.Enqueue(_senders[sender], new RelayedFrame(buffer, at + (segments * size), segments, IsSingle: false));
    }

    // The first datagram of each batch that was sent as one, all datagrams of those that the queue made.
    private List<(int Sender, int Number)> TakeAll()
    {
        var all = new List<(int Sender, int Number)>();
        while (_queue.TryDequeue(out RelayedFrame frame))
        {
            List<(int Sender, int Number)> read = Read(frame);
            all.AddRange(frame.Datagrams == 60 ? read[..1] : read);
        }

        return all;
    }
}
