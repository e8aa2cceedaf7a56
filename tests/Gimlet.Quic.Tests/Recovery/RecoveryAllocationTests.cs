using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Recovery;

public sealed class RecoveryAllocationTests
{
    [Fact]
    public void Sending_losing_and_acknowledging_allocates_nothing()
    {
        var random = new Random(5);
        var driver = new RecoveryDriver(random: random.NextBytes, ecn: true) { IsRecording = false };
        _ = driver.AddPath(1);
        long round = 0;
        Allocations.AssertNone(() =>
        {
            long first = driver.Loss.NextPacketNumber(PacketNumberSpace.Application);
            for (int i = 0; i < 64; i++)
            {
                _ = driver.Path.Allowance(driver.Now);
                _ = driver.Send(path: i % 8 == 0 ? 1 : 0, ecn: EcnCodepoint.NotEct);
                _ = i % 4 == 0 ? driver.SendAck() : 0;
            }

            long last = driver.Loss.NextPacketNumber(PacketNumberSpace.Application) - 1;
            driver.Advance(10);
            Span<AckRange> ranges = [new AckRange(last, last)];
            _ = driver.AckRanges(PacketNumberSpace.Application, TimeSpan.Zero, null, ranges);

            // Every 16th round the packets that count as lost are late only.
            ranges[0] = new AckRange(round++ % 16 == 0 ? first : last - 20, last);
            _ = driver.AckRanges(PacketNumberSpace.Application, TimeSpan.Zero, null, ranges);
            driver.Advance(1);
            if (driver.Loss.NextTimeout <= driver.Now)
            {
                _ = driver.Loss.HandleTimeout(driver.Now, out _);
            }
        });
        Assert.True(driver.Path.CongestionEvents > 0);
    }

    [Fact]
    public void Receiving_and_reporting_allocates_nothing()
    {
        var received = new ReceivedPackets(PacketNumberSpace.Application, TimeSpan.FromMilliseconds(25));
        byte[] buffer = new byte[1200];
        long number = 0;
        TimeSpan now = TimeSpan.Zero;
        Allocations.AssertNone(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                number += i % 10 == 0 ? 2 : 1;
                if (received.IsNew(number))
                {
                    received.Add(now, number, isAckEliciting: true, EcnCodepoint.Ect0);
                }

                if (i % 30 == 0)
                {
                    _ = received.IsNew(number - 15);
                }
            }

            now += TimeSpan.FromMilliseconds(1);
            var writer = new WireWriter(buffer);
            if (!received.TryWriteAck(ref writer, now, 3, out long largest))
            {
                throw new InvalidOperationException("An ACK fits.");
            }

            received.OnAckAcknowledged(largest - 200);
        });
    }
}
