using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;
using static Gimlet.Quic.Tests.Recovery.Support.RecoveryDriver;

namespace Gimlet.Quic.Tests.Recovery;

public sealed class SpuriousLossTests
{
    private readonly RecoveryDriver _driver = new();

    [Fact]
    public void A_congestion_event_whose_losses_all_arrive_later_is_taken_back()
    {
        Lose(out long first);
        Assert.Equal([first, first + 1], _driver.Lost);
        Assert.False(_driver.Path.IsInSlowStart);
        long reduced = _driver.Path.CongestionWindow;

        _ = _driver.Ack(first);
        Assert.Equal(reduced, _driver.Path.CongestionWindow);
        Assert.Equal(0, _driver.Path.SpuriousCongestionEvents);
        _ = _driver.Ack(first + 1);
        Assert.Equal(1, _driver.Path.SpuriousCongestionEvents);
        Assert.Equal(13200, _driver.Path.CongestionWindow);
        Assert.True(_driver.Path.IsInSlowStart);
        Assert.Equal(long.MaxValue, _driver.Path.SlowStartThreshold);

        // They were told of as lost, and that is what their owners act upon.
        Assert.DoesNotContain(first, _driver.Acknowledged);
    }

    [Fact]
    public void One_packet_that_stays_lost_keeps_the_event()
    {
        Lose(out long first);
        for (int i = 0; i < 3; i++)
        {
            _ = _driver.Ack(first);
        }

        Assert.Equal(0, _driver.Path.SpuriousCongestionEvents);
        Assert.False(_driver.Path.IsInSlowStart);
    }

    [Fact]
    public void An_event_before_the_last_one_is_not_taken_back()
    {
        Lose(out long first);
        _driver.Advance(10);
        Lose(out _);
        Assert.Equal(2, _driver.Path.CongestionEvents);
        long reduced = _driver.Path.CongestionWindow;
        _ = _driver.Ack(first, first + 1);
        Assert.Equal(0, _driver.Path.SpuriousCongestionEvents);
        Assert.Equal(reduced, _driver.Path.CongestionWindow);
    }

    [Fact]
    public void What_arrives_after_three_probe_timeouts_is_not_waited_for()
    {
        Lose(out long first);
        _driver.Advance(3000);
        _driver.Sample(30);
        _ = _driver.Ack(first, first + 1);
        Assert.Equal(0, _driver.Path.SpuriousCongestionEvents);
    }

    [Fact]
    public void A_window_that_grew_beyond_in_the_meantime_stays()
    {
        var window = new CubicWindow(RecoverySettings.Default, 1200);
        Assert.True(window.OnCongestionEvent(Ms(100), Ms(50), isUndoable: true));
        for (int i = 0; i < 100; i++)
        {
            window.OnAcknowledged(Ms(200 + (i * 100)), window.Window, Ms(150 + (i * 100)), Ms(50), isUtilised: true);
        }

        long grown = window.Window;
        Assert.True(grown > 12000);
        Assert.True(window.TryUndo());
        Assert.Equal(grown, window.Window);
        Assert.False(window.TryUndo());
    }

    [Fact]
    public void Late_packets_widen_the_packet_threshold_and_it_has_a_bound()
    {
        Lose(out long first);
        _ = _driver.Ack(first);

        // Four later ones had arrived.
        Assert.Equal(5, _driver.Path.Reordering.Packets);
        _driver.Lost.Clear();
        long next = _driver.Send();
        _driver.SendMany(4);
        _ = _driver.AckRange(next + 1, next + 4);
        Assert.Empty(_driver.Lost);

        _driver.SendMany(1000);
        long last = _driver.Loss.NextPacketNumber(PacketNumberSpace.Application) - 1;
        _ = _driver.Ack(last);
        _ = _driver.AckRange(next, last);
        Assert.Equal(_driver.Settings.MaxPacketThreshold, _driver.Path.Reordering.Packets);
    }

    [Fact]
    public void Late_packets_widen_the_time_threshold_a_step_per_event_and_it_has_a_bound()
    {
        var tolerance = new ReorderingTolerance(RecoverySettings.Default);
        tolerance.OnSpuriousLoss(2, byTime: true, 7);
        tolerance.OnSpuriousLoss(2, byTime: true, 7);
        Assert.Equal(1.25, tolerance.Time, 9);
        for (int i = 8; i < 50; i++)
        {
            tolerance.OnSpuriousLoss(2, byTime: true, i);
        }

        Assert.Equal(2, tolerance.Time);
        Assert.Equal(3, tolerance.Packets);
        for (int i = 0; i < 15; i++)
        {
            tolerance.OnCongestionEvent();
        }

        Assert.Equal(2, tolerance.Time);
        tolerance.OnCongestionEvent();
        Assert.Equal(9.0 / 8, tolerance.Time);
    }

    [Fact]
    public void What_is_remembered_of_losses_has_a_bound()
    {
        var lost = new LostPackets(16);
        for (int i = 0; i < 100; i++)
        {
            lost.Add(new LostPacket(i, i, Ms(1000), 1, false, true));
        }

        Assert.Equal(16, lost.Count);
        int index = 0;
        var taken = new List<long>();
        while (lost.TryTake(0, 90, ref index, out LostPacket packet))
        {
            taken.Add(packet.PacketNumber);
        }

        Assert.Equal([84, 85, 86, 87, 88, 89, 90], taken);
        index = 0;
        Assert.False(lost.TryTake(0, 90, ref index, out _));
        lost.Expire(Ms(999));
        Assert.Equal(9, lost.Count);
        index = 0;
        Assert.True(lost.TryTake(95, 95, ref index, out LostPacket single));
        Assert.Equal(95, single.PacketNumber);
        lost.Expire(Ms(1000));
        Assert.Equal(0, lost.Count);
    }

    // Two packets are lost by the packet threshold, the first of them four places behind.
    private void Lose(out long first)
    {
        if (!_driver.Path.Rtt.HasSample)
        {
            _driver.Sample(30);
        }

        first = _driver.Send();
        _driver.SendMany(4);
        _driver.Advance(30);
        _ = _driver.Ack(first + 2, first + 3, first + 4);
    }
}
