using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;
using static Gimlet.Quic.Tests.Recovery.Support.RecoveryDriver;

namespace Gimlet.Quic.Tests.Recovery;

/// <summary>RFC 9002 section 7.6. With two samples of 100 ms: (100 + 4 * 37.5 + 25) * 3 = 825 ms.</summary>
public sealed class PersistentCongestionTests
{
    private readonly RecoveryDriver _driver = new();

    [Fact]
    public void Two_losses_far_apart_with_nothing_between_that_arrived_shrink_the_window_to_the_minimum()
    {
        Sample();
        _ = _driver.Send();
        _driver.Advance(830);
        _ = _driver.Send();
        _driver.Advance(200);
        Arrive();
        Assert.Equal([1, 2], _driver.Lost);
        Assert.Equal(1, _driver.PersistentCongestions);
        Assert.Equal(2400, _driver.Path.CongestionWindow);
        Assert.Equal(9240, _driver.Path.SlowStartThreshold);
        Assert.True(_driver.Path.IsInSlowStart);
    }

    [Fact]
    public void Losses_closer_together_do_not()
    {
        Sample();
        _ = _driver.Send();
        _driver.Advance(820);
        _ = _driver.Send();
        _driver.Advance(200);
        Arrive();
        Assert.Equal([1, 2], _driver.Lost);
        Assert.Equal(0, _driver.PersistentCongestions);
    }

    [Fact]
    public void A_packet_between_that_arrived_divides_the_period()
    {
        Sample();
        _ = _driver.Send();
        _driver.Advance(500);
        long between = _driver.Send();
        _driver.Advance(500);
        _ = _driver.Send();
        _driver.Advance(1);
        long last = _driver.Send();
        _driver.Advance(100);
        _ = _driver.Ack(between, last);
        _ = _driver.RunTimer();
        Assert.Equal([1, 3], _driver.Lost);
        Assert.Equal(0, _driver.PersistentCongestions);
    }

    [Fact]
    public void Losses_from_before_the_first_sample_do_not_count()
    {
        _ = _driver.Send();
        _driver.Advance(1000);
        _ = _driver.Send();
        _driver.Advance(1000);
        _ = _driver.Send();
        _driver.Advance(1000);
        _driver.SendMany(3);
        _driver.Advance(100);
        _ = _driver.Ack(3, 4, 5);
        Assert.Equal([0, 1, 2], _driver.Lost);
        Assert.Equal(0, _driver.PersistentCongestions);
    }

    [Fact]
    public void Losses_found_one_after_the_other_are_one_period()
    {
        Sample();
        _ = _driver.Send();
        _driver.Advance(1000);
        _ = _driver.Send();
        long third = _driver.Send();
        long fourth = _driver.Send();
        _driver.Advance(100);
        _ = _driver.Ack(fourth);
        Assert.Equal([1], _driver.Lost);
        _ = _driver.RunTimer();
        Assert.Equal([1, 2, third], _driver.Lost);
        Assert.Equal(1, _driver.PersistentCongestions);
    }

    [Fact]
    public void A_packet_that_was_late_only_divides_the_period_too()
    {
        Sample();
        long first = _driver.Send();
        long late = _driver.Send();
        _driver.Advance(2000);
        long third = _driver.Send();
        _driver.SendMany(2);
        _driver.Advance(100);
        _ = _driver.AckRange(third + 1, third + 2);
        Assert.Equal([first, late], _driver.Lost);
        _ = _driver.Ack(late);
        _ = _driver.RunTimer();
        Assert.Equal([first, late, third], _driver.Lost);
        Assert.Equal(0, _driver.PersistentCongestions);
    }

    [Fact]
    public void The_least_round_trip_time_is_measured_anew()
    {
        Sample();
        _ = _driver.Send();
        _driver.Advance(2000);
        _ = _driver.Send();
        _driver.Advance(1);
        _driver.SendMany(3);
        _driver.Advance(300);
        _ = _driver.Ack(3, 4, 5);
        Assert.Equal(1, _driver.PersistentCongestions);
        Assert.Equal(Ms(300), _driver.Path.Rtt.Minimum);
    }

    private void Sample()
    {
        _driver.Sample(100);
        _driver.Advance(1);
    }

    private void Arrive()
    {
        long first = _driver.Loss.NextPacketNumber(PacketNumberSpace.Application);
        _driver.SendMany(3);
        _driver.Advance(100);
        _ = _driver.AckRange(first, first + 2);
        if (_driver.Loss.NextTimeout is not null)
        {
            _ = _driver.RunTimer();
        }
    }
}
