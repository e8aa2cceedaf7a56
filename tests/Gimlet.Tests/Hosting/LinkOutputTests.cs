using Gimlet.Hosting;
using Gimlet.Signalling;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Hosting;

public sealed class LinkOutputTests
{
    [Fact]
    public void Text_overtakes_datagrams_and_each_kind_keeps_its_order()
    {
        using var output = new LinkOutput();
        Assert.True(output.TryAddRelayed(Keys.Small.Id, [1], 1));
        Assert.True(output.TryAddText([10]));
        Assert.True(output.TryAddRelayed(Keys.Large.Id, [2], 1));
        Assert.True(output.TryAddText([11]));
        Assert.Equal([10], TakeText(output));
        Assert.Equal([11], TakeText(output));
        Assert.Equal((Keys.Small.Id, 1, "01"), TakeRelayed(output));
        Assert.Equal((Keys.Large.Id, 1, "02"), TakeRelayed(output));
        Assert.False(output.TryTake(out _, out _));
    }

    [Fact]
    public void Datagrams_of_one_peer_and_one_length_share_a_frame_and_a_shorter_one_is_its_last()
    {
        using var output = new LinkOutput();
        byte[] full = [1, 2, 3, 4];
        Assert.True(output.TryAddRelayed(Keys.Small.Id, full, 4));
        Assert.True(output.TryAddRelayed(Keys.Small.Id, [.. full, .. full], 4));
        Assert.True(output.TryAddRelayed(Keys.Small.Id, [9], 1));
        Assert.True(output.TryAddRelayed(Keys.Small.Id, full, 4));
        Assert.True(output.TryAddRelayed(Keys.Small.Id, [1, 2, 3, 4, 5], 5));
        Assert.True(output.TryAddRelayed(Keys.Large.Id, [1, 2, 3, 4, 5], 5));
        Assert.Equal((Keys.Small.Id, 4, "01020304010203040102030409"), TakeRelayed(output));
        Assert.Equal((Keys.Small.Id, 4, "01020304"), TakeRelayed(output));
        Assert.Equal((Keys.Small.Id, 5, "0102030405"), TakeRelayed(output));
        Assert.Equal((Keys.Large.Id, 5, "0102030405"), TakeRelayed(output));
        Assert.Equal(0, output.Dropped);
    }

    [Fact]
    public void What_is_taken_can_be_joined_no_more()
    {
        using var output = new LinkOutput();
        Assert.True(output.TryAddRelayed(Keys.Small.Id, [1, 2], 2));
        Assert.True(output.TryTake(out _, out RelayedFrame? taken));
        Assert.True(output.TryAddRelayed(Keys.Small.Id, [3, 4], 2));
        using (taken)
        {
            Assert.Equal("0102", Convert.ToHexStringLower(taken!.Bytes.Span[RelayFrame.SingleHeaderLength..]));
        }

        Assert.Equal((Keys.Small.Id, 2, "0304"), TakeRelayed(output));
    }

    [Fact]
    public void Whatever_is_joined_comes_out_as_the_same_datagrams_in_the_same_order_in_frames_that_can_be_read()
    {
        var random = new Random(3);
        PeerId[] peers = [Keys.Small.Id, Keys.Large.Id];
        for (int round = 0; round < 100; round++)
        {
            using var output = new LinkOutput();
            var sent = new List<(PeerId, string)>();
            var got = new List<(PeerId, string)>();
            for (int i = 0; i < 60; i++)
            {
                PeerId peer = peers[random.Next(8) == 0 ? 1 : 0];
                int segment = new[] { 1, 40, 1200, 1452 }[random.Next(4)];
                byte[] bytes = new byte[random.Next(1, (segment * 5) + 1)];
                random.NextBytes(bytes);
                Assert.True(output.TryAddRelayed(peer, bytes, segment));
                sent.AddRange(bytes.Chunk(segment).Select(d => (peer, Convert.ToHexStringLower(d))));
                if (random.Next(10) == 0)
                {
                    Drain(output, got);
                }
            }

            Drain(output, got);
            Assert.Equal(sent, got);
            Assert.Equal(0, output.Dropped);
        }
    }

    [Fact]
    public void Beyond_half_a_megabyte_the_oldest_datagrams_go_and_are_counted()
    {
        using var output = new LinkOutput();
        byte[] datagram = new byte[1200];
        for (int i = 0; i < 2000; i++)
        {
            BitConverter.TryWriteBytes(datagram, i);
            Assert.True(output.TryAddRelayed(Keys.Small.Id, datagram, 1200));
        }

        var left = new List<(PeerId, string)>();
        Drain(output, left);
        Assert.Equal(2000, left.Count + output.Dropped);
        Assert.InRange(left.Count * 1200, 400 * 1024, 512 * 1024);
        Assert.Equal(1999, BitConverter.ToInt32(Convert.FromHexString(left[^1].Item2)));
        Assert.Equal(output.Dropped, BitConverter.ToInt32(Convert.FromHexString(left[0].Item2)));
    }

    [Fact]
    public void Text_beyond_256_frames_is_refused_and_datagrams_do_not_take_its_place()
    {
        using var output = new LinkOutput();
        Assert.True(output.TryAddRelayed(Keys.Small.Id, new byte[60_000], 1200));
        for (int i = 0; i < 256; i++)
        {
            Assert.True(output.TryAddText([1]));
        }

        Assert.False(output.TryAddText([1]));
        _ = TakeText(output);
        Assert.True(output.TryAddText([1]));
    }

    [Fact]
    public async Task After_the_end_nothing_is_taken_in_and_what_is_queued_still_leaves()
    {
        using var output = new LinkOutput();
        Assert.True(output.TryAddText([1]));
        Assert.True(await output.WaitAsync(TestContext.Current.CancellationToken));
        Assert.True(output.TryAddRelayed(Keys.Small.Id, [1], 1));
        output.Complete();
        Assert.False(output.TryAddText([1]));
        Assert.False(output.TryAddRelayed(Keys.Small.Id, [1], 1));
        Assert.Equal([1], TakeText(output));
        Assert.Equal((Keys.Small.Id, 1, "01"), TakeRelayed(output));
        _ = await output.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(await output.WaitAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Queueing_and_taking_allocates_a_frame_and_no_copies()
    {
        using var output = new LinkOutput();
        byte[] datagrams = new byte[12_000];
        void Run()
        {
            Assert.True(output.TryAddRelayed(Keys.Small.Id, datagrams, 1200));
            Assert.True(output.TryTake(out _, out RelayedFrame? frame));
            frame!.Dispose();
        }

        Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Run();
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 100, 0, 200);
    }

    private static byte[] TakeText(LinkOutput output)
    {
        Assert.True(output.TryTake(out byte[]? text, out RelayedFrame? relayed));
        Assert.Null(relayed);
        return text!;
    }

    private static (PeerId Peer, int Segment, string Datagrams) TakeRelayed(LinkOutput output)
    {
        Assert.True(output.TryTake(out byte[]? text, out RelayedFrame? relayed));
        Assert.Null(text);
        using (relayed)
        {
            ReadOnlySpan<byte> frame = relayed!.Bytes.Span;
            Assert.True(RelayFrame.TryRead(frame, out RelayFrame header));
            return (header.Peer, header.SegmentSize, Convert.ToHexStringLower(frame[header.HeaderLength..]));
        }
    }

    private static void Drain(LinkOutput output, List<(PeerId, string)> got)
    {
        while (output.TryTake(out _, out RelayedFrame? relayed))
        {
            using (relayed)
            {
                byte[] frame = relayed!.Bytes.ToArray();
                Assert.True(RelayFrame.TryRead(frame, out RelayFrame header));
                Assert.Equal(relayed.Count, header.CountDatagrams(frame.Length));
                PeerId peer = header.Peer;
                got.AddRange(frame[header.HeaderLength..].Chunk(header.SegmentSize).Select(d => (peer, Convert.ToHexStringLower(d))));
            }
        }
    }
}
