using System.Text;

namespace Gimlet.Sockets.Tests.Conformance;

public abstract partial class DatagramSocketConformance
{
    [Fact]
    public async Task A_datagram_arrives_with_its_bytes_its_sender_and_its_destination()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        Assert.Equal(DatagramSendResult.Sent, alice.Send("hello"u8, bob.LocalAddress));

        Copy copy = Assert.Single(await ReceiveAsync(bob));
        Assert.Equal("hello", Encoding.ASCII.GetString(copy.Payload));
        Assert.Equal(alice.LocalAddress, copy.Remote);
        Assert.Equal(bob.LocalAddress, copy.Local);

        Assert.Equal(DatagramSendResult.Sent, bob.Send("back"u8, copy.Remote, copy.Local));
        Assert.Equal("back", Encoding.ASCII.GetString((await ReceiveAsync(alice))[0].Payload));
    }

    [Fact]
    public async Task An_empty_datagram_is_a_datagram()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        Assert.Equal(DatagramSendResult.Sent, alice.Send([], bob.LocalAddress));
        Copy copy = Assert.Single(await ReceiveAsync(bob));
        Assert.Empty(copy.Payload);
        Assert.Equal(alice.LocalAddress, copy.Remote);
    }

    [Fact]
    public async Task The_longest_datagram_arrives_whole()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        byte[] payload = new byte[65507]; // 65535 less the headers of IPv4 and UDP
        new Random(1).NextBytes(payload);
        Assert.Equal(DatagramSendResult.Sent, alice.Send(payload, bob.LocalAddress));
        Copy copy = Assert.Single(await ReceiveAsync(bob, slots: 2, datagramBytes: 65535));
        Assert.Equal(payload, copy.Payload);
    }

    [Fact]
    public void Receiving_when_nothing_waits_returns_zero()
    {
        DatagramSocket socket = Bind();
        var batch = new DatagramReceiveBatch(4);
        Assert.Equal(0, socket.Receive(batch));
        Assert.Equal(0, batch.Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch[0]);
    }

    [Fact]
    public async Task Waiting_twice_consumes_nothing()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        Task wait = bob.WaitToReceiveAsync(Deadline).AsTask();
        Assert.False(wait.IsCompleted);
        alice.Send("one"u8, bob.LocalAddress);
        await wait;
        await bob.WaitToReceiveAsync(Deadline);
        alice.Send("two"u8, bob.LocalAddress);
        await bob.WaitToReceiveAsync(Deadline);
        Assert.Equal(["one", "two"], (await ReceiveAsync(bob, 2)).Select(c => Encoding.ASCII.GetString(c.Payload)));
        Assert.Equal(0, bob.Receive(new DatagramReceiveBatch(1)));
    }

    [Fact]
    public async Task A_datagram_longer_than_a_slot_is_dropped_and_counted_and_the_next_arrives()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        alice.Send(new byte[101], bob.LocalAddress);
        alice.Send(new byte[100], bob.LocalAddress);
        alice.Send(new byte[4000], bob.LocalAddress);
        alice.Send(new byte[99], bob.LocalAddress);
        List<Copy> copies = await ReceiveAsync(bob, 2, datagramBytes: 100);
        Assert.Equal([100, 99], copies.Select(c => c.Payload.Length));
        Assert.Equal(2, bob.Counters.Truncated);
        Assert.Equal(2, bob.Counters.Received);
        Assert.Equal(199, bob.Counters.ReceivedBytes);
    }

    [Fact]
    public async Task A_datagram_too_long_for_its_slot_is_dropped_even_when_the_wait_took_it()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        Task wait = bob.WaitToReceiveAsync(Deadline).AsTask();
        alice.Send(new byte[101], bob.LocalAddress);
        await wait;
        Assert.Equal(0, bob.Receive(new DatagramReceiveBatch(4, 100)));
        Assert.Equal(1, bob.Counters.Truncated);
    }

    [Fact]
    public async Task A_cancelled_wait_loses_no_datagram()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        for (int i = 0; i < 50; i++)
        {
            using var cancel = new CancellationTokenSource();
            Task wait = bob.WaitToReceiveAsync(cancel.Token).AsTask();
            if (i % 2 == 0)
            {
                await cancel.CancelAsync(); // cancelled before the datagram
                alice.Send([(byte)i], bob.LocalAddress);
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
            }
            else
            {
                alice.Send([(byte)i], bob.LocalAddress); // cancelled while it arrives
                await cancel.CancelAsync();
                try
                {
                    await wait;
                }
                catch (OperationCanceledException) when (cancel.IsCancellationRequested)
                {
                    // Either outcome is right here; the datagram must be there in both.
                }
            }

            Assert.Equal((byte)i, Assert.Single(Assert.Single(await ReceiveAsync(bob)).Payload));
        }
    }

    [Fact]
    public async Task A_cancelled_token_ends_the_wait_at_once()
    {
        DatagramSocket socket = Bind();
        using var cancel = new CancellationTokenSource();
        Task wait = socket.WaitToReceiveAsync(cancel.Token).AsTask();
        Assert.False(wait.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.WaitAsync(Deadline));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => socket.WaitToReceiveAsync(cancel.Token).AsTask().WaitAsync(Deadline));
    }
}
