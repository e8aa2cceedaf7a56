using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Recovery;

/// <summary>
/// All of it together on a link of 50 Mbit/s, 40 ms there and back, whose router holds one bandwidth-delay product: 250,000 bytes. The sender wakes
/// every half millisecond; the receiver acknowledges what arrived within two.
/// </summary>
public sealed class BottleneckTests(ITestOutputHelper output)
{
    private const double BytesPerMs = 6250;
    private const double OneWayMs = 20;
    private const double QueueBytes = 250_000;

    [Fact]
    public void The_link_is_full_and_little_is_lost()
    {
        (double share, double loss, PathRecovery path) = Run(seconds: 5, randomLoss: 0, seed: 1);
        Assert.InRange(share, 0.9, 1);
        Assert.InRange(loss, 0, 0.02);
        Assert.True(path.CongestionWindow > 200_000);
    }

    [Theory]
    [InlineData(0.0001, 0.7)]
    [InlineData(0.01, 0.04)]
    [InlineData(0.05, 0.015)]
    public void Random_loss_slows_it_as_the_formula_of_Reno_says_or_less(double randomLoss, double least)
    {
        // 1200 bytes / 40 ms * sqrt(1.5 / loss): 6 % of the link for 1 %.
        (double share, double loss, _) = Run(seconds: 10, randomLoss, seed: 2);
        Assert.InRange(share, least, 1);
        Assert.InRange(loss, 0, (3 * randomLoss) + 0.01);
    }

    [Fact]
    public void A_link_that_reorders_is_still_used()
    {
        (double share, double loss, PathRecovery path) = Run(seconds: 5, randomLoss: 0, seed: 3, reorderEvery: 40);
        Assert.InRange(share, 0.8, 1);
        Assert.True(path.Reordering.Packets > 3, "the threshold grew");
        Assert.InRange(loss, 0, 0.02);
    }

    private (double Share, double Loss, PathRecovery Path) Run(int seconds, double randomLoss, int seed, int reorderEvery = 0)
    {
        var random = new Random(seed);
        var driver = new RecoveryDriver();
        driver.Path.MaxDatagramSize = 1200;
        var underWay = new PriorityQueue<long, double>();
        var acks = new Queue<(double At, AckRange[] Ranges)>();
        var received = new ReceivedPackets(PacketNumberSpace.Application, TimeSpan.FromMilliseconds(2));
        double linkFree = 0, delivered = 0, nextAck = 0;
        TimeSpan start = driver.Now;
        double end = seconds * 1000;
        for (double now = 0; now < end; now += 0.5)
        {
            driver.Now = start + RecoveryDriver.Ms(now);
            while (acks.TryPeek(out (double At, AckRange[] Ranges) ack) && ack.At <= now)
            {
                _ = acks.Dequeue();
                Assert.False(driver.AckRanges(PacketNumberSpace.Application, TimeSpan.Zero, null, ack.Ranges).IsError);
            }

            while (driver.Loss.NextTimeout is { } next && next <= driver.Now)
            {
                if (driver.Loss.HandleTimeout(driver.Now, out _))
                {
                    Transmit();
                }
            }

            for (long allowance = driver.Path.Allowance(driver.Now); allowance >= 1200; allowance -= 1200)
            {
                Transmit();
            }

            while (underWay.TryPeek(out long number, out double at) && at <= now)
            {
                _ = underWay.Dequeue();
                if (received.IsNew(number))
                {
                    delivered += 1200;
                    received.Add(driver.Now, number, isAckEliciting: true, EcnCodepoint.NotEct);
                }
            }

            if (now >= nextAck && received.HasUnsentAck)
            {
                nextAck = now + 2;
                acks.Enqueue((now + OneWayMs, Report(received)));
            }

            void Transmit()
            {
                long number = driver.Send();
                double queued = Math.Max(0, linkFree - now) * BytesPerMs;
                if (queued + 1200 > QueueBytes || random.NextDouble() < randomLoss)
                {
                    return;
                }

                linkFree = Math.Max(linkFree, now) + (1200 / BytesPerMs);
                double late = reorderEvery > 0 && number % reorderEvery == 0 ? 2 : 0;
                underWay.Enqueue(number, linkFree + OneWayMs + late);
            }
        }

        double share = delivered / (BytesPerMs * end);
        double loss = driver.Lost.Count / (double)driver.Loss.NextPacketNumber(PacketNumberSpace.Application);
        output.WriteLine(
            $"{share:P1} of the link, {loss:P2} lost, window {driver.Path.CongestionWindow}, "
            + $"{driver.Path.CongestionEvents} events, "
            + $"{driver.Path.SpuriousCongestionEvents} taken back, {driver.PersistentCongestions} persistent, threshold {driver.Path.Reordering.Packets}");
        return (share, loss, driver.Path);
    }

    private static AckRange[] Report(ReceivedPackets received)
    {
        byte[] buffer = new byte[1200];
        var writer = new WireWriter(buffer);
        Assert.True(received.TryWriteAck(ref writer, TimeSpan.FromDays(1), 3, out _));
        var reader = new FrameReader(writer.Written, PacketType.OneRtt, EndpointRole.Server);
        Assert.True(reader.MoveNext());
        Assert.True(AckFrame.TryRead(ref reader, out AckFrame frame));
        var ranges = new List<AckRange>();
        foreach (AckRange range in frame)
        {
            ranges.Add(range);
        }

        return [.. ranges];
    }
}
