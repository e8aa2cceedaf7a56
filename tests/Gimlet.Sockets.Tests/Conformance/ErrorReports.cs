namespace Gimlet.Sockets.Tests.Conformance;

public abstract partial class DatagramSocketConformance
{
    [Fact]
    public async Task A_closed_port_is_reported_as_refused_with_its_address()
    {
        DatagramSocket socket = BindWithReports();
        TransportAddress nobody = ClosedPort();
        Assert.Equal(DatagramSendResult.Sent, socket.Send("anyone?"u8, nobody));
        await socket.WaitToReceiveAsync(Deadline); // the report ends the wait
        Assert.Equal(0, socket.Receive(new DatagramReceiveBatch(1)));
        Assert.True(socket.TryReadError(out DatagramError error));
        Assert.Equal(new DatagramError(nobody, DatagramErrorKind.Refused), error);
        Assert.False(socket.TryReadError(out _));
        Assert.True(socket.Counters.ReceiveErrors > 0);
    }

    [Fact]
    public async Task A_report_never_costs_the_datagram_that_is_sent_next()
    {
        DatagramSocket alice = BindWithReports();
        DatagramSocket bob = Bind();
        TransportAddress nobody = ClosedPort();
        TransportAddress nobodyElse = ClosedPort();

        // On loopback the ICMP message is there before the next send.
        Assert.Equal(DatagramSendResult.Sent, alice.Send("?"u8, nobody));
        Assert.Equal(DatagramSendResult.Sent, alice.Send("a"u8, bob.LocalAddress));
        var batch = new DatagramSendBatch(8, 16);
        batch.TryAdd("?"u8, nobody);
        batch.TryAdd("b"u8, bob.LocalAddress);
        batch.TryAdd("?"u8, nobodyElse);
        batch.TryAdd("?"u8, nobodyElse);
        batch.TryAdd("c"u8, bob.LocalAddress);
        Assert.Equal(5, alice.Send(batch));
        Assert.Equal("abc"u8.ToArray(), (await ReceiveAsync(bob, 3)).SelectMany(c => c.Payload));

        var refused = new List<TransportAddress>();
        while (alice.TryReadError(out DatagramError error))
        {
            Assert.Equal(DatagramErrorKind.Refused, error.Kind);
            refused.Add(error.Remote);
        }

        Assert.Equal([nobody, nobody, nobodyElse, nobodyElse], refused);
    }

    [Fact]
    public async Task Reports_do_not_disturb_a_blocked_thread()
    {
        DatagramSocket alice = BindWithReports();
        DatagramSocket bob = Bind();
        TransportAddress nobody = ClosedPort();
        var batch = new DatagramReceiveBatch(4, 16);
        Task<int> receiver = Task.Factory.StartNew(
            () => alice.ReceiveBlocking(batch), Deadline, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        for (int i = 0; i < 20; i++)
        {
            alice.Send("?"u8, nobody);
        }

        bob.Send("answer"u8, alice.LocalAddress);
        Assert.Equal(1, await receiver.WaitAsync(Deadline));
        Assert.Equal(6, batch[0].Payload.Length);
    }

    [Fact]
    public void Without_asking_for_reports_there_are_none()
    {
        DatagramSocket socket = Bind();
        Assert.False(socket.Capabilities.HasFlag(DatagramSocketCapabilities.ErrorReports));
        socket.Send("?"u8, ClosedPort());
        Assert.Equal(0, socket.Receive(new DatagramReceiveBatch(1)));
        Assert.False(socket.TryReadError(out _));
        socket.Dispose();
        Assert.Throws<ObjectDisposedException>(() => socket.TryReadError(out _));
    }

    private DatagramSocket BindWithReports()
    {
        DatagramSocket socket = Bind(Options() with { ReportErrors = true });
        if (!socket.Capabilities.HasFlag(DatagramSocketCapabilities.ErrorReports))
        {
            Assert.Skip("This implementation offers no error reports, and says so in its capabilities.");
        }

        return socket;
    }
}
