using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;
using static Gimlet.Quic.Tests.Recovery.Support.RecoveryDriver;

namespace Gimlet.Quic.Tests.Recovery;

public sealed class RttEstimatorTests
{
    [Fact]
    public void The_estimate_follows_the_formulas_of_RFC_9002_section_5_3()
    {
        var rtt = new RttEstimator(Ms(333));
        Assert.False(rtt.HasSample);
        Assert.Equal(Ms(333), rtt.Smoothed);
        Assert.Equal(Ms(166.5), rtt.Variation);

        // The first sample counts as it is, whatever the peer says of its delay.
        rtt.Update(Ms(1), Ms(100), Ms(20));
        Assert.Equal((Ms(100), Ms(50), Ms(100)), (rtt.Smoothed, rtt.Variation, rtt.Minimum));

        // 140 - 20 = 120: var = 3/4 * 50 + 1/4 * 20, smoothed = 7/8 * 100 + 1/8 * 120.
        rtt.Update(Ms(2), Ms(140), Ms(20));
        Assert.Equal((Ms(102.5), Ms(42.5), Ms(100)), (rtt.Smoothed, rtt.Variation, rtt.Minimum));
        Assert.Equal(Ms(140), rtt.Latest);

        // 110 - 20 would be less than the minimum: 110 is taken.
        rtt.Update(Ms(3), Ms(110), Ms(20));
        Assert.Equal(Ms(103.4375), rtt.Smoothed);
        Assert.Equal(Ms(33.75), rtt.Variation);
        rtt.Update(Ms(4), Ms(90), TimeSpan.Zero);
        Assert.Equal(Ms(90), rtt.Minimum);
        Assert.Equal(Ms(1), rtt.FirstSampleAt);
    }

    [Fact]
    public void The_peers_delay_counts_up_to_what_it_promised_once_the_handshake_is_confirmed()
    {
        var driver = new RecoveryDriver();
        driver.Sample(100);
        Answer(driver, 200, 80);
        Assert.Equal(Ms((700 + 175) / 8.0), driver.Path.Rtt.Smoothed);

        driver = new RecoveryDriver();
        driver.Loss.IsHandshakeConfirmed = false;
        driver.Sample(100);
        Answer(driver, 200, 80);
        Assert.Equal(Ms((700 + 120) / 8.0), driver.Path.Rtt.Smoothed);
    }

    [Fact]
    public void The_delay_of_an_initial_acknowledgement_is_ignored()
    {
        var driver = new RecoveryDriver();
        driver.Sample(100);
        long number = driver.Send(space: PacketNumberSpace.Initial);
        driver.Advance(180);
        _ = driver.AckIn(PacketNumberSpace.Initial, Ms(20), null, number);
        Assert.Equal(Ms((700 + 180) / 8.0), driver.Path.Rtt.Smoothed);
    }

    [Fact]
    public void An_old_packet_that_is_newly_acknowledged_is_no_sample()
    {
        var driver = new RecoveryDriver();
        driver.SendMany(2);
        driver.Advance(10);
        _ = driver.Ack(1);
        driver.Advance(1);
        _ = driver.Ack(0);
        Assert.Equal(Ms(10), driver.Path.Rtt.Latest);
    }

    [Fact]
    public void Nothing_but_acks_is_no_sample()
    {
        var driver = new RecoveryDriver();
        long number = driver.SendAck();
        driver.Advance(10);
        _ = driver.Ack(number);
        Assert.False(driver.Path.Rtt.HasSample);
    }

    [Fact]
    public void The_delay_belongs_to_the_path_of_the_largest_packet()
    {
        var driver = new RecoveryDriver();
        PathRecovery other = driver.AddPath(1);
        driver.Sample(100);
        driver.Sample(100, path: 1);
        long first = driver.Send(path: 1);
        long second = driver.Send();
        driver.Advance(140);
        _ = driver.AckIn(PacketNumberSpace.Application, Ms(20), null, first, second);
        Assert.Equal(Ms(102.5), driver.Path.Rtt.Smoothed);
        Assert.Equal(Ms(105), other.Rtt.Smoothed);
    }

    private static void Answer(RecoveryDriver driver, double after, double delay)
    {
        long number = driver.Send();
        driver.Advance(after);
        _ = driver.AckIn(PacketNumberSpace.Application, Ms(delay), null, number);
    }
}
