using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Recovery;

/// <summary>RFC 9000 section 13.4.2.</summary>
public sealed class EcnTests
{
    private readonly RecoveryDriver _driver = new(ecn: true);

    [Fact]
    public void Ten_packets_are_marked_and_when_they_are_counted_all_are()
    {
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(EcnCodepoint.Ect0, _driver.Path.NextEcn);
            _ = _driver.Send();
        }

        Assert.Equal(EcnCodepoint.NotEct, _driver.Path.NextEcn);
        Assert.Equal(EcnState.Unknown, _driver.Path.Ecn.State);
        Ack(new EcnCounts(2, 0, 0), 0, 1);
        Assert.Equal(EcnState.Capable, _driver.Path.Ecn.State);
        Assert.Equal(EcnCodepoint.Ect0, _driver.Path.NextEcn);
    }

    [Fact]
    public void A_path_without_ecn_marks_nothing()
    {
        var driver = new RecoveryDriver();
        Assert.Equal(EcnCodepoint.NotEct, driver.Path.NextEcn);
        _ = driver.Send();
        driver.Path.Ecn.OnFailed();
        Assert.Equal(EcnState.Disabled, driver.Path.Ecn.State);
    }

    [Theory]
    [InlineData(-1, 0, 0)] // No counts at all.
    [InlineData(1, 0, 0)] // Fewer than were acknowledged: a router cleared a mark.
    [InlineData(0, 2, 0)] // ECT(1), which we never send.
    [InlineData(2, 1, 0)]
    [InlineData(5, 0, 0)] // More than we sent.
    [InlineData(2, 0, 3)]
    [InlineData(0, 0, 1)]
    public void Counts_that_cannot_be_end_marking(long ect0, long ect1, long ce)
    {
        _driver.SendMany(4);
        Ack(ect0 < 0 ? null : new EcnCounts(ect0, ect1, ce), 0, 1);
        Assert.Equal(EcnState.Failed, _driver.Path.Ecn.State);
        Assert.Equal(EcnCodepoint.NotEct, _driver.Path.NextEcn);
        Assert.Equal(0, _driver.Path.CongestionEvents);
    }

    [Fact]
    public void Counts_that_fall_end_marking()
    {
        _driver.SendMany(6);
        Ack(new EcnCounts(2, 0, 1), 0, 1, 2);
        Assert.Equal(EcnState.Capable, _driver.Path.Ecn.State);
        Ack(new EcnCounts(5, 0, 0), 3, 4);
        Assert.Equal(EcnState.Failed, _driver.Path.Ecn.State);
    }

    [Fact]
    public void An_older_ack_that_comes_later_says_nothing()
    {
        _driver.SendMany(6);
        Ack(new EcnCounts(4, 0, 0), 2, 3, 4, 5);
        Ack(new EcnCounts(2, 0, 0), 0, 1);
        Assert.Equal(EcnState.Capable, _driver.Path.Ecn.State);
        _driver.SendMany(1);
        Ack(new EcnCounts(7, 0, 0), 6);
        Assert.Equal(EcnState.Capable, _driver.Path.Ecn.State);
    }

    [Fact]
    public void More_counts_than_are_newly_acknowledged_come_of_acks_that_were_lost()
    {
        _driver.SendMany(6);
        Ack(new EcnCounts(6, 0, 0), 5);
        Assert.Equal(EcnState.Capable, _driver.Path.Ecn.State);
    }

    [Fact]
    public void A_congestion_mark_reduces_the_window_once_per_round_trip()
    {
        _driver.SendMany(6);
        _driver.Advance(30);
        Ack(new EcnCounts(1, 0, 1), 0, 1);
        Assert.Equal(1, _driver.Path.CongestionEvents);
        Assert.Equal(8400, _driver.Path.CongestionWindow);
        Ack(new EcnCounts(1, 0, 3), 2, 3);
        Assert.Equal(1, _driver.Path.CongestionEvents);
        _driver.Advance(1);
        long next = _driver.Send();
        _driver.Advance(30);
        Ack(new EcnCounts(1, 0, 6), 4, 5, next);
        Assert.Equal(2, _driver.Path.CongestionEvents);
        Assert.Empty(_driver.Lost);
    }

    [Fact]
    public void Where_all_that_is_marked_is_lost_nothing_is_marked_any_more()
    {
        _driver.SendMany(10);
        _driver.SendMany(4);
        _driver.Advance(30);
        Ack(null, 11, 12, 13);
        Assert.Equal(EcnState.Failed, _driver.Path.Ecn.State);
    }

    [Fact]
    public void A_handshake_that_gets_no_answer_goes_on_unmarked_after_two_probe_timeouts()
    {
        var driver = new RecoveryDriver(EndpointRole.Client, ecn: true);
        driver.Loss.IsHandshakeConfirmed = false;
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(EcnCodepoint.Ect0, driver.Path.NextEcn);
            _ = driver.Send(space: PacketNumberSpace.Initial);
            _ = driver.RunTimer();
        }

        Assert.Equal(EcnCodepoint.NotEct, driver.Path.NextEcn);
    }

    [Fact]
    public void Missing_marks_are_held_against_every_path_that_may_be_meant_and_no_other()
    {
        PathRecovery second = _driver.AddPath(1, ecn: true);
        PathRecovery third = _driver.AddPath(2, ecn: true);
        _ = _driver.Send();
        _ = _driver.Send(path: 1);
        _ = _driver.Send(path: 2);
        Ack(new EcnCounts(1, 0, 0), 0, 1);
        Assert.Equal(EcnState.Failed, _driver.Path.Ecn.State);
        Assert.Equal(EcnState.Failed, second.Ecn.State);
        Ack(new EcnCounts(2, 0, 0), 2);
        Assert.Equal(EcnState.Capable, third.Ecn.State);
    }

    [Fact]
    public void A_congestion_mark_slows_every_path_that_may_be_meant()
    {
        PathRecovery second = _driver.AddPath(1, ecn: true);
        PathRecovery third = _driver.AddPath(2, ecn: true);
        _ = _driver.Send();
        _ = _driver.Send(path: 1);
        _ = _driver.Send(path: 2);
        Ack(new EcnCounts(1, 0, 1), 0, 1);
        Assert.Equal(1, _driver.Path.CongestionEvents);
        Assert.Equal(1, second.CongestionEvents);
        Assert.Equal(0, third.CongestionEvents);
    }

    private void Ack(EcnCounts? counts, params ReadOnlySpan<long> numbers)
        => Assert.False(_driver.AckIn(PacketNumberSpace.Application, TimeSpan.Zero, counts, numbers).IsError);
}
