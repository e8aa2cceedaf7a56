using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;
using static Gimlet.Quic.Tests.Recovery.Support.RecoveryDriver;

namespace Gimlet.Quic.Tests.Recovery;

public sealed class PacerTests
{
    [Fact]
    public void The_initial_window_goes_out_at_once()
    {
        var driver = new RecoveryDriver();
        Assert.Equal(12_000, driver.Path.Allowance(driver.Now));
        driver.SendMany(10);
        Assert.Equal(0, driver.Path.Allowance(driver.Now));
        Assert.True(driver.Path.IsCongestionBlocked);
        Assert.Null(driver.Path.NextSendTime);
    }

    [Fact]
    public void A_window_is_spread_over_the_round_trip()
    {
        // 1,000,000 bytes in 100 ms, in congestion avoidance: 12.5 bytes per microsecond, bursts of 25,000.
        RttEstimator rtt = Rtt(100);
        var pacer = new Pacer(RecoverySettings.Default);
        TimeSpan now = Ms(1000);
        pacer.SetRate(now, 1_000_000, isInSlowStart: false, rtt, 1000);
        Assert.Equal(25_000, pacer.Allowance(now, 1000));
        long sent = 0;
        while (now < Ms(1100))
        {
            long allowance = pacer.Allowance(now, 1000);
            if (allowance == 0)
            {
                // Half a burst at least: no timer per datagram.
                TimeSpan until = pacer.BlockedUntil!.Value;
                Assert.InRange(until - now, Ms(0.9), Ms(1.1));
                Assert.Equal(0, pacer.Allowance(until - Ms(0.01), 1000));
                now = until;
                Assert.InRange(pacer.Allowance(now, 1000), 12_500, 12_600);
                continue;
            }

            pacer.OnSent(now, 1000, 1000);
            sent += 1000;
        }

        Assert.InRange(sent, 1_240_000, 1_300_000);
    }

    [Fact]
    public void Slow_start_has_twice_the_windows_rate()
    {
        var pacer = new Pacer(RecoverySettings.Default);
        pacer.SetRate(Ms(0), 1_000_000, isInSlowStart: true, Rtt(100), 1000);

        // Two milliseconds of 20 bytes per microsecond, and half of them one millisecond later.
        Assert.Equal(40_000, pacer.Allowance(Ms(0), 1000));
        pacer.OnSent(Ms(0), 40_000, 1000);
        Assert.Equal(0, pacer.Allowance(Ms(0.99), 1000));
        Assert.InRange(pacer.Allowance(Ms(1.01), 1000), 20_000, 20_400);
    }

    [Theory]
    [InlineData(20_000, 10_000)]
    [InlineData(1_000_000, 25_000)]
    [InlineData(100_000_000, 256_000)]
    public void A_burst_is_two_milliseconds_of_the_rate_within_10_and_256_datagrams(long window, long burst)
    {
        var pacer = new Pacer(RecoverySettings.Default);
        pacer.SetRate(Ms(0), window, isInSlowStart: false, Rtt(100), 1000);
        Assert.Equal(burst, pacer.Allowance(Ms(0), 1000));
        Assert.Equal(burst, pacer.Allowance(Ms(10_000), 1000));
    }

    [Fact]
    public void On_a_loopback_pacing_is_never_the_limit()
    {
        var driver = new RecoveryDriver();
        long next = 0;
        for (int i = 0; i < 12; i++)
        {
            long room = driver.Path.CongestionWindow;
            Assert.Equal(room, driver.Path.Allowance(driver.Now));
            while (!driver.Path.IsCongestionBlocked)
            {
                _ = driver.Send();
            }

            Assert.Null(driver.Path.NextSendTime);
            driver.Advance(0.05);
            long last = driver.Loss.NextPacketNumber(PacketNumberSpace.Application) - 1;
            _ = driver.AckRange(next, last);
            next = last + 1;
        }

        Assert.True(driver.Path.CongestionWindow > 10_000_000);
    }

    [Fact]
    public void A_path_tells_when_pacing_alone_holds_back()
    {
        var driver = new RecoveryDriver();
        driver.Sample(100);
        long allowance = driver.Path.Allowance(driver.Now);
        Assert.InRange(allowance, 12_000, driver.Path.CongestionWindow);
        driver.SendMany((int)(allowance / 1200));
        Assert.False(driver.Path.IsCongestionBlocked);
        Assert.Equal(0, driver.Path.Allowance(driver.Now));
        TimeSpan? next = driver.Path.NextSendTime;
        Assert.NotNull(next);
        Assert.InRange(next.Value - driver.Now, Ms(1), Ms(100));
        driver.Now = next.Value;
        Assert.InRange(driver.Path.Allowance(driver.Now), 1200, 12_000);
        Assert.Null(driver.Path.NextSendTime);
    }

    [Fact]
    public void A_path_that_paces_counts_as_used()
    {
        var driver = new RecoveryDriver();
        driver.Sample(100);
        driver.Path.OnApplicationLimited(driver.Now);
        driver.SendMany(11);
        Assert.Equal(0, driver.Path.Allowance(driver.Now));
        long before = driver.Path.CongestionWindow;
        driver.Advance(100);
        _ = driver.Ack(1);
        Assert.True(driver.Path.CongestionWindow > before);
    }

    [Fact]
    public void Probes_that_do_not_ask_are_a_debt_with_a_bound()
    {
        var pacer = new Pacer(RecoverySettings.Default);
        pacer.SetRate(Ms(0), 1_000_000, isInSlowStart: false, Rtt(100), 1000);
        for (int i = 0; i < 1000; i++)
        {
            pacer.OnSent(Ms(0), 1000, 1000);
        }

        // A burst of debt and half a burst to go on: 37,500 bytes at 12.5 bytes per microsecond.
        Assert.InRange(pacer.BlockedUntil!.Value, Ms(2.9), Ms(3.1));
        pacer.Reset();
        Assert.Equal(long.MaxValue, pacer.Allowance(Ms(0), 1000));
    }

    private static RttEstimator Rtt(double milliseconds)
    {
        var rtt = new RttEstimator(Ms(333));
        rtt.Update(Ms(0), Ms(milliseconds), TimeSpan.Zero);
        return rtt;
    }
}
