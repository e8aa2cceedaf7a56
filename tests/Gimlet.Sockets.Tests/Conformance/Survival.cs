namespace Gimlet.Sockets.Tests.Conformance;

public abstract partial class DatagramSocketConformance
{
    [Fact]
    public async Task A_closed_port_at_the_other_end_ends_nothing()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        TransportAddress nobody = ClosedPort();
        Task wait = alice.WaitToReceiveAsync(Deadline).AsTask();
        for (int i = 0; i < 20; i++)
        {
            alice.Send("anyone?"u8, nobody);
            Assert.Equal(DatagramSendResult.Sent, alice.Send([(byte)i], bob.LocalAddress));
        }

        Assert.Equal(20, (await ReceiveAsync(bob, 20)).Count);
        bob.Send("still there"u8, alice.LocalAddress);
        await wait;
        Assert.Equal(11, Assert.Single(await ReceiveAsync(alice)).Payload.Length);
    }

    [Fact]
    public void Sends_that_cannot_work_return_why()
    {
        DatagramSocket socket = Bind();
        Assert.Equal(DatagramSendResult.TooLarge, socket.Send(new byte[65535], socket.LocalAddress));
        Assert.Equal(DatagramSendResult.Unreachable, socket.Send("x"u8, default));
        Assert.Equal(1, socket.Counters.TooLarge);
        Assert.Equal(1, socket.Counters.Unreachable);
        Assert.Equal(0, socket.Counters.Sent);
    }

    [Fact]
    public async Task Disposing_wakes_the_waiter()
    {
        DatagramSocket socket = Bind();
        Task wait = socket.WaitToReceiveAsync(Deadline).AsTask();
        Assert.False(wait.IsCompleted);
        socket.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => wait.WaitAsync(Deadline));
    }

    [Fact]
    public async Task Disposing_ends_a_blocked_thread_with_zero()
    {
        for (int i = 0; i < 20; i++)
        {
            DatagramSocket socket = Bind();
            var blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Task<int> receiver = Task.Factory.StartNew(
                () =>
                {
                    blocked.SetResult();
                    return socket.ReceiveBlocking(new DatagramReceiveBatch(4));
                },
                Deadline,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
            await blocked.Task;
            socket.Dispose(); // races with the entry into the wait, differently each time
            Assert.Equal(0, await receiver.WaitAsync(Deadline));
        }
    }

    [Fact]
    public async Task After_dispose_everything_says_disposed_and_nothing_else()
    {
        DatagramSocket socket = Bind();
        TransportAddress own = socket.LocalAddress;
        socket.Dispose();
        socket.Dispose();
        Assert.True(socket.IsDisposed);
        var receive = new DatagramReceiveBatch(1);
        var send = new DatagramSendBatch(1);
        send.TryAdd("x"u8, own);
        Assert.Throws<ObjectDisposedException>(() => socket.Receive(receive));
        Assert.Throws<ObjectDisposedException>(() => socket.Send("x"u8, own));
        Assert.Throws<ObjectDisposedException>(() => socket.Send("x"u8, default));
        Assert.Throws<ObjectDisposedException>(() => socket.Send(send));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await socket.WaitToReceiveAsync(Deadline));
        Assert.Equal(0, socket.ReceiveBlocking(receive));
        Assert.Equal(own, socket.LocalAddress);
        _ = Bind(port: own.Port); // the port is free again
    }

    [Fact]
    public async Task Ten_thousand_datagrams_go_back_and_forth_between_blocked_threads()
    {
        DatagramSocket server = Bind();
        DatagramSocket client = Bind();
        Task echo = Task.Factory.StartNew(
            () =>
            {
                var receive = new DatagramReceiveBatch(16, 64);
                var send = new DatagramSendBatch(16, 64);
                while (server.ReceiveBlocking(receive) > 0)
                {
                    send.Clear();
                    for (int i = 0; i < receive.Count; i++)
                    {
                        send.TryAdd(receive[i].Payload, receive[i].Remote, receive[i].Local);
                    }

                    Assert.Equal(receive.Count, server.Send(send));
                }
            },
            Deadline,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

        var answers = new DatagramReceiveBatch(16, 64);
        int next = 0;
        int answered = 0;
        byte[] payload = new byte[4];
        while (answered < 10_000)
        {
            Deadline.ThrowIfCancellationRequested();
            for (; next < 10_000 && next - answered < 32; next++)
            {
                _ = BitConverter.TryWriteBytes(payload, next);
                Assert.Equal(DatagramSendResult.Sent, client.Send(payload, server.LocalAddress));
            }

            int count = client.ReceiveBlocking(answers);
            for (int i = 0; i < count; i++)
            {
                Assert.Equal(answered++, BitConverter.ToInt32(answers[i].Payload));
            }
        }

        server.Dispose();
        await echo.WaitAsync(Deadline);
    }
}
