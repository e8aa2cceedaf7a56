namespace Gimlet.Sockets.Tests.Conformance;

public abstract partial class DatagramSocketConformance
{
    [Fact]
    public void Sending_and_receiving_allocate_nothing()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        var send = new DatagramSendBatch(8, 256);
        var receive = new DatagramReceiveBatch(16, 256);
        byte[] payload = new byte[100];
        long bytes = 0;
        void Round()
        {
            send.Clear();
            for (int i = 0; i < 8; i++)
            {
                send.TryAdd(payload, bob.LocalAddress, alice.LocalAddress);
            }

            alice.Send(send);
            alice.Send(payload, bob.LocalAddress, alice.LocalAddress, new DatagramSendOptions { TimeToLive = 9 });

            // On loopback a datagram is in the receiver's queue when its send returns.
            for (int left = 9; left > 0;)
            {
                left -= bob.ReceiveBlocking(receive);
                for (int i = 0; i < receive.Count; i++)
                {
                    bytes += receive[i].Payload.Length + receive[i].Remote.Port + receive[i].Local.Port;
                }
            }

            bob.Receive(receive);
        }

        Assert.Equal(0, Allocations.Of(Round, 200));
        Assert.Equal(1100 * 9, bob.Counters.Received);
        Assert.True(bytes > 0);
    }

    [Fact]
    public void Segments_and_marks_allocate_nothing()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind(Options() with { ReceiveOffload = true, ReportEcn = true });
        var send = new DatagramSendBatch(2, 8192);
        var receive = new DatagramReceiveBatch(4, DatagramReceiveBatch.OffloadDatagramBytes);
        byte[] payload = new byte[6100];
        var options = new DatagramSendOptions { Ecn = EcnMark.Ect0 };
        long bytes = 0;
        void Round()
        {
            alice.SendSegments(payload, 1000, bob.LocalAddress, out int sent, alice.LocalAddress, options);
            send.Clear();
            send.TryAdd(payload, bob.LocalAddress, alice.LocalAddress, options, 1000);
            send.TryAdd(payload.AsSpan(100), bob.LocalAddress, alice.LocalAddress, options, 3000);
            alice.Send(send);
            sent += send.SegmentsSentOf(0) + send.SegmentsSentOf(1);
            while (sent > 0)
            {
                bob.ReceiveBlocking(receive);
                for (int i = 0; i < receive.Count; i++)
                {
                    foreach (Span<byte> segment in receive[i].Segments)
                    {
                        bytes += segment.Length + (int)receive[i].Ecn;
                        sent--;
                    }
                }
            }
        }

        Assert.Equal(0, Allocations.Of(Round, 200));
        Assert.Equal(1100 * 16, bob.Counters.Received);
        Assert.True(bytes >= 1100 * 18_200);
    }

    [Fact]
    public void A_wait_that_completes_at_once_allocates_nothing()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind();
        var receive = new DatagramReceiveBatch(16, 256);
        byte[] payload = new byte[100];
        int completed = 0;
        int received = 0;

        // No assertion inside: those of the test framework allocate.
        void Round()
        {
            alice.Send(payload, bob.LocalAddress);
            ValueTask wait = bob.WaitToReceiveAsync(CancellationToken.None);
            completed += wait.IsCompletedSuccessfully ? 1 : 0;
            wait.GetAwaiter().GetResult();
            received += bob.Receive(receive);
        }

        Assert.Equal(0, Allocations.Of(Round, 200));
        Assert.Equal(1100, completed);
        Assert.Equal(1100, received);
    }
}
