using System.Net.Sockets;

namespace Gimlet.Sockets.Tests.Conformance;

public abstract partial class DatagramSocketConformance
{
    [Theory]
    [InlineData(10_500, 1000, 11)] // a shorter last one
    [InlineData(10_000, 1000, 10)] // none
    [InlineData(1001, 1000, 2)] // one byte left
    [InlineData(1000, 1000, 1)]
    [InlineData(999, 1000, 1)]
    [InlineData(5000, 0, 1)]
    [InlineData(0, 1000, 1)] // an empty datagram is a datagram
    [InlineData(0, 0, 1)]
    [InlineData(130, 1, 130)] // more than one system call takes
    [InlineData(100_000, 1200, 84)] // more than one datagram of UDP holds
    [InlineData(90_000, 30_000, 3)]
    [InlineData(80_001, 40_000, 3)] // two would not fit one call
    public async Task A_segmented_payload_arrives_as_datagrams_in_order(int length, int segmentSize, int datagrams)
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind(Options() with { ReceiveBufferBytes = 1 << 20 });
        byte[] payload = RandomBytes(length);
        Assert.Equal(
            DatagramSendResult.Sent,
            alice.SendSegments(payload, segmentSize, bob.LocalAddress, out int sent, alice.LocalAddress, new DatagramSendOptions { TimeToLive = 9 }));
        Assert.Equal(datagrams, sent);
        Assert.Equal(datagrams, alice.Counters.Sent);
        Assert.Equal(length, alice.Counters.SentBytes);

        List<Copy> copies = await ReceiveAsync(bob, datagrams, datagramBytes: DatagramReceiveBatch.OffloadDatagramBytes);
        Assert.All(copies.SkipLast(1), copy => Assert.Equal(segmentSize, copy.Payload.Length));
        Assert.All(copies, copy => Assert.Equal(alice.LocalAddress, copy.Remote));
        Assert.Equal(payload, copies.SelectMany(copy => copy.Payload));
    }

    [Fact]
    public async Task A_batch_mixes_segmented_and_single_datagrams_and_keeps_their_order()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind(Options() with { ReceiveBufferBytes = 1 << 20 });
        TransportAddress otherFamily = TransportAddress.Parse(_loopback.AddressFamily == AddressFamily.InterNetwork ? "[::1]:9" : "127.0.0.1:9");
        byte[] payload = RandomBytes(65_000);
        var batch = new DatagramSendBatch(8, 65_535);
        Assert.True(batch.TryAdd(payload.AsSpan(0, 100), bob.LocalAddress));
        Assert.True(batch.TryAdd(payload.AsSpan(100, 4100), bob.LocalAddress, alice.LocalAddress, default, segmentSize: 1000));
        Assert.True(batch.TryAdd(payload.AsSpan(0, 5000), otherFamily, segmentSize: 1000));
        Assert.True(batch.TryAdd(payload.AsSpan(4200, 200), bob.LocalAddress, segmentSize: 200));
        Assert.True(batch.TryAdd(payload.AsSpan(4400, 130), bob.LocalAddress, segmentSize: 1)); // more than one system call takes
        payload.AsSpan(4530, 60_000).CopyTo(batch.NextPayload);
        batch.Commit(60_000, bob.LocalAddress, segmentSize: 20_000);
        Assert.True(batch.TryAdd(payload.AsSpan(64_530), bob.LocalAddress));

        Assert.Equal(6, alice.Send(batch));
        Assert.Equal([1, 5, 0, 1, 130, 3, 1], Enumerable.Range(0, batch.Count).Select(batch.SegmentsSentOf));
        Assert.Equal(DatagramSendResult.Unreachable, batch.ResultOf(2));
        Assert.Equal(141, alice.Counters.Sent);
        Assert.Equal(65_000, alice.Counters.SentBytes);
        List<Copy> copies = await ReceiveAsync(bob, 141, datagramBytes: DatagramReceiveBatch.OffloadDatagramBytes);
        Assert.Equal(payload, copies.SelectMany(copy => copy.Payload));
        Assert.Equal([100, 1000, 1000, 1000, 1000, 100, 200, 1], copies.Take(8).Select(copy => copy.Payload.Length));
    }

    [Fact]
    public void Segments_that_cannot_leave_say_why_and_how_many_did()
    {
        DatagramSocket socket = Bind();
        byte[] payload = new byte[200_000];
        Assert.Equal(DatagramSendResult.TooLarge, socket.SendSegments(payload, 65_530, socket.LocalAddress, out int sent));
        Assert.Equal(0, sent);
        Assert.Equal(DatagramSendResult.Unreachable, socket.SendSegments(payload, 1000, default, out sent));
        Assert.Equal(0, sent);
        Assert.Throws<ArgumentOutOfRangeException>(() => socket.SendSegments(payload, -1, socket.LocalAddress, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DatagramSendBatch().Commit(1, socket.LocalAddress, segmentSize: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DatagramSendBatch().SegmentsSentOf(0));
        Assert.Equal(0, socket.Counters.Sent);
        Assert.Equal(1, socket.Counters.TooLarge);
        Assert.Equal(1, socket.Counters.Unreachable);
    }

    [Fact]
    public async Task A_socket_with_receive_offload_hears_the_same_datagrams()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind(Options() with { ReceiveBufferBytes = 1 << 20, ReceiveOffload = true });
        byte[] payload = RandomBytes(20_500);
        Assert.Equal(DatagramSendResult.Sent, alice.Send("single"u8, bob.LocalAddress));
        Assert.Equal(DatagramSendResult.Sent, alice.SendSegments(payload, 1000, bob.LocalAddress, out _));
        Assert.Equal(DatagramSendResult.Sent, alice.Send([], bob.LocalAddress));

        var batch = new DatagramReceiveBatch(4, DatagramReceiveBatch.OffloadDatagramBytes);
        var lengths = new List<int>();
        var bytes = new List<byte>();
        while (lengths.Count < 23)
        {
            await bob.WaitToReceiveAsync(Deadline);
            bob.Receive(batch);
            for (int i = 0; i < batch.Count; i++)
            {
                Assert.Equal(alice.LocalAddress, batch[i].Remote);
                int segments = 0;
                foreach (Span<byte> segment in batch[i].Segments)
                {
                    lengths.Add(segment.Length);
                    bytes.AddRange(segment);
                    segments++;
                }

                Assert.Equal(batch[i].SegmentCount, segments);
                Assert.Equal(segments == 1 ? batch[i].Payload.Length : 1000, batch[i].SegmentSize);
                bool joined = alice.Capabilities.HasFlag(DatagramSocketCapabilities.SegmentationOffload)
                    && bob.Capabilities.HasFlag(DatagramSocketCapabilities.ReceiveOffload);
                Assert.True(!joined || batch[i].Payload.Length < 1000 || segments == 21, "loopback passes on what the sender joined");
            }
        }

        Assert.Equal([6, .. Enumerable.Repeat(1000, 20), 500, 0], lengths);
        Assert.Equal([.. "single"u8, .. payload], bytes);
        Assert.Equal(23, bob.Counters.Received);
        Assert.Equal(20_506, bob.Counters.ReceivedBytes);
    }

    [Fact]
    public void Slots_that_would_cut_joined_datagrams_are_refused()
    {
        DatagramSocket socket = Bind(Options() with { ReceiveOffload = true });
        if (!socket.Capabilities.HasFlag(DatagramSocketCapabilities.ReceiveOffload))
        {
            Assert.Equal(0, socket.Receive(new DatagramReceiveBatch()));
            return;
        }

        Assert.Throws<ArgumentException>(() => socket.Receive(new DatagramReceiveBatch()));
        Assert.Throws<ArgumentException>(() => socket.ReceiveBlocking(new DatagramReceiveBatch(1, DatagramReceiveBatch.OffloadDatagramBytes - 1)));
    }

    [Fact]
    public void Offloads_are_there_exactly_where_the_implementation_has_them()
    {
        DatagramSocketCapabilities capabilities = Bind(Options() with { ReceiveOffload = true }).Capabilities;
        DatagramSocketCapabilities without = Bind().Capabilities;
        bool expected = OperatingSystem.IsLinux()
            && _implementation is DatagramSocketImplementation.Best or DatagramSocketImplementation.LinuxRefusingSegmentation;
        Assert.Equal(expected, capabilities.HasFlag(DatagramSocketCapabilities.SegmentationOffload));
        Assert.Equal(expected, capabilities.HasFlag(DatagramSocketCapabilities.ReceiveOffload));
        Assert.Equal(expected, without.HasFlag(DatagramSocketCapabilities.SegmentationOffload));
        Assert.False(without.HasFlag(DatagramSocketCapabilities.ReceiveOffload));
    }

    [Fact]
    public async Task A_refused_segmentation_costs_no_datagram_and_is_not_tried_again()
    {
        if (_implementation != DatagramSocketImplementation.LinuxRefusingSegmentation)
        {
            Assert.Skip("Only the implementation that is refused can show it.");
        }

        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        TransportAddress foreign = TransportAddress.Parse(_loopback.AddressFamily == AddressFamily.InterNetwork ? "203.0.113.77:1" : "[2001:db8:77::77]:1");
        byte[] payload = RandomBytes(2500);

        // EINVAL as well, but one by one it is no better: that is not the segmentation's fault.
        Assert.Equal(DatagramSendResult.Unreachable, alice.SendSegments(payload, 1000, bob.LocalAddress, out _, foreign));
        Assert.True(alice.Capabilities.HasFlag(DatagramSocketCapabilities.SegmentationOffload));

        var batch = new DatagramSendBatch(2, 2500);
        batch.TryAdd(payload, bob.LocalAddress, segmentSize: 1000);
        batch.TryAdd(payload, bob.LocalAddress, segmentSize: 1000);
        Assert.Equal(2, alice.Send(batch));
        Assert.False(alice.Capabilities.HasFlag(DatagramSocketCapabilities.SegmentationOffload));
        Assert.True(alice.Capabilities.HasFlag(DatagramSocketCapabilities.BatchSend));
        Assert.Equal(DatagramSendResult.Sent, alice.SendSegments(payload, 1000, bob.LocalAddress, out int sent));
        Assert.Equal(3, sent);
        Assert.Equal([1000, 1000, 500, 1000, 1000, 500, 1000, 1000, 500], (await ReceiveAsync(bob, 9)).Select(copy => copy.Payload.Length));
    }

    private static byte[] RandomBytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}
