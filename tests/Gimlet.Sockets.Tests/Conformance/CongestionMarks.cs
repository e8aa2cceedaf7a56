namespace Gimlet.Sockets.Tests.Conformance;

public abstract partial class DatagramSocketConformance
{
    private static readonly EcnMark[] Marks = [EcnMark.Ect0, EcnMark.NotEct, EcnMark.Ce, EcnMark.Ect1, EcnMark.NotEct];

    [Fact]
    public async Task Every_datagram_arrives_with_the_mark_it_was_given()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind(Options() with { ReportEcn = true });
        bool linux = OperatingSystem.IsLinux() && _implementation != DatagramSocketImplementation.Portable;
        Assert.Equal(linux, bob.Capabilities.HasFlag(DatagramSocketCapabilities.Ecn));
        var batch = new DatagramSendBatch(8, 16);
        foreach (EcnMark mark in Marks)
        {
            var options = new DatagramSendOptions { Ecn = mark, TimeToLive = 9 };
            Assert.Equal(DatagramSendResult.Sent, alice.Send("x"u8, bob.LocalAddress, alice.LocalAddress, options));
            Assert.Equal(DatagramSendResult.Sent, alice.SendSegments("xyz"u8, 2, bob.LocalAddress, out _, alice.LocalAddress, options));
            batch.Clear();
            batch.TryAdd("x"u8, bob.LocalAddress, default, options);
            Assert.Equal(1, alice.Send(batch));
        }

        // Without the capability the mark is neither sent nor reported, and the datagrams arrive all the same.
        IEnumerable<EcnMark> expected = Marks.SelectMany(mark => Enumerable.Repeat(linux ? mark : EcnMark.NotEct, 4));
        Assert.Equal(expected, (await ReceiveAsync(bob, 4 * Marks.Length)).Select(copy => copy.Ecn));
    }

    [Fact]
    public async Task Joined_datagrams_keep_their_mark()
    {
        DatagramSocket alice = Bind();
        DatagramSocket bob = Bind(Options() with { ReportEcn = true, ReceiveOffload = true });
        if (!bob.Capabilities.HasFlag(DatagramSocketCapabilities.Ecn))
        {
            Assert.Skip("This implementation reports no marks, and says so in its capabilities.");
        }

        byte[] payload = new byte[10_000];
        foreach (EcnMark mark in Marks)
        {
            alice.SendSegments(payload, 1000, bob.LocalAddress, out _, default, new DatagramSendOptions { Ecn = mark });
        }

        var batch = new DatagramReceiveBatch(4, DatagramReceiveBatch.OffloadDatagramBytes);
        var seen = new List<EcnMark>();
        while (seen.Count < 10 * Marks.Length)
        {
            await bob.WaitToReceiveAsync(Deadline);
            bob.Receive(batch);
            for (int i = 0; i < batch.Count; i++)
            {
                seen.AddRange(Enumerable.Repeat(batch[i].Ecn, batch[i].SegmentCount));
            }
        }

        Assert.Equal(Marks.SelectMany(mark => Enumerable.Repeat(mark, 10)), seen);
    }

    [Fact]
    public async Task Without_asking_for_marks_there_are_none()
    {
        DatagramSocket socket = Bind();
        Assert.False(socket.Capabilities.HasFlag(DatagramSocketCapabilities.Ecn));
        socket.Send("x"u8, socket.LocalAddress, default, new DatagramSendOptions { Ecn = EcnMark.Ce });
        Assert.Equal(EcnMark.NotEct, Assert.Single(await ReceiveAsync(socket)).Ecn);
    }
}
