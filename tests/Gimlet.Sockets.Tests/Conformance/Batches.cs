using System.Buffers.Binary;

namespace Gimlet.Sockets.Tests.Conformance;

public abstract partial class DatagramSocketConformance
{
    // The default receive buffer holds about 270 small datagrams with the kernel's overhead.
    private const int Burst = 150;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(1024)]
    public async Task A_burst_arrives_complete_and_in_order_whatever_the_size_of_the_batch(int slots)
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        var batch = new DatagramSendBatch(Burst, 64);
        for (int i = 0; i < Burst; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(batch.NextPayload, i);
            batch.Commit(4 + (i % 60), bob.LocalAddress);
        }

        Assert.True(batch.IsFull);
        Assert.Equal(Burst, alice.Send(batch));
        List<Copy> copies = await ReceiveAsync(bob, Burst, slots, 64);
        for (int i = 0; i < Burst; i++)
        {
            Assert.Equal(DatagramSendResult.Sent, batch.ResultOf(i));
            Assert.Equal(i, BinaryPrimitives.ReadInt32BigEndian(copies[i].Payload));
            Assert.Equal(4 + (i % 60), copies[i].Payload.Length);
        }

        Assert.Equal(Burst, alice.Counters.Sent);
        Assert.Equal(Burst, bob.Counters.Received);
        Assert.Equal(alice.Counters.SentBytes, bob.Counters.ReceivedBytes);
    }

    [Fact]
    public async Task One_datagram_that_fails_does_not_keep_the_others_of_its_batch_from_being_sent()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        TransportAddress otherFamily = TransportAddress.Parse(_loopback.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? "[::1]:9" : "127.0.0.1:9");
        var batch = new DatagramSendBatch(8, 65535);
        Assert.True(batch.TryAdd("a"u8, bob.LocalAddress));
        Assert.True(batch.TryAdd("b"u8, otherFamily));
        Assert.True(batch.TryAdd("c"u8, bob.LocalAddress));
        batch.Commit(65535, bob.LocalAddress); // more than UDP can carry
        Assert.True(batch.TryAdd("e"u8, default));
        Assert.True(batch.TryAdd("f"u8, bob.LocalAddress));

        Assert.Equal(3, alice.Send(batch));
        Assert.Equal(
            [
                DatagramSendResult.Sent, DatagramSendResult.Unreachable, DatagramSendResult.Sent,
                DatagramSendResult.TooLarge, DatagramSendResult.Unreachable, DatagramSendResult.Sent,
            ],
            Enumerable.Range(0, batch.Count).Select(batch.ResultOf));
        List<Copy> copies = await ReceiveAsync(bob, 3);
        Assert.Equal("acf"u8.ToArray(), copies.SelectMany(c => c.Payload));
        Assert.Equal(2, alice.Counters.Unreachable);
        Assert.Equal(1, alice.Counters.TooLarge);
        Assert.Equal(3, alice.Counters.Sent);

        batch.Clear();
        Assert.Equal(0, alice.Send(batch));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.ResultOf(0));
    }

    [Fact]
    public void A_full_batch_takes_no_more()
    {
        var batch = new DatagramSendBatch(1, 10);
        TransportAddress remote = TransportAddress.Parse("192.0.2.1:9");
        Assert.Throws<ArgumentException>(() => batch.TryAdd(new byte[11], remote));
        Assert.True(batch.TryAdd(new byte[10], remote));
        Assert.False(batch.TryAdd("x"u8, remote));
        Assert.Throws<InvalidOperationException>(() => batch.Commit(1, remote));
        Assert.Throws<InvalidOperationException>(() => { _ = batch.NextPayload; });
    }

    [Fact]
    public async Task Many_threads_may_send_at_once()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        Task[] senders = [.. Enumerable.Range(0, 4).Select(sender => Task.Run(() =>
        {
            for (int i = 0; i < 25; i++)
            {
                Assert.Equal(DatagramSendResult.Sent, alice.Send([(byte)sender, (byte)i], bob.LocalAddress));
            }
        }, Deadline))];
        await Task.WhenAll(senders);
        List<Copy> copies = await ReceiveAsync(bob, 100);
        Assert.Equal(100, copies.Select(c => (c.Payload[0], c.Payload[1])).Distinct().Count());
        Assert.All(copies.GroupBy(c => c.Payload[0]), group => Assert.Equal(Enumerable.Range(0, 25), group.Select(c => (int)c.Payload[1])));
    }

    [Fact]
    public async Task One_batch_serves_several_sockets()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        DatagramSocket carol = Bind();
        var send = new DatagramSendBatch(4, 16);
        send.TryAdd("b"u8, bob.LocalAddress);
        send.TryAdd("c"u8, carol.LocalAddress);
        Assert.Equal(2, alice.Send(send));
        var receive = new DatagramReceiveBatch(4, 16);
        await bob.WaitToReceiveAsync(Deadline);
        Assert.Equal(1, bob.Receive(receive));
        Assert.Equal((byte)'b', receive[0].Payload[0]);
        await carol.WaitToReceiveAsync(Deadline);
        Assert.Equal(1, carol.Receive(receive));
        Assert.Equal((byte)'c', receive[0].Memory.Span[0]);
        Assert.Equal(carol.LocalAddress, receive[0].Local);
    }
}
