using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;
using static Gimlet.Quic.Tests.Recovery.Support.RecoveryDriver;

namespace Gimlet.Quic.Tests.Recovery;

/// <summary>One packet number space, many paths: what happens on one says nothing of another.</summary>
public sealed class PathIndependenceTests
{
    private readonly RecoveryDriver _driver = new();
    private readonly PathRecovery _other;

    public PathIndependenceTests() => _other = _driver.AddPath(1);

    [Fact]
    public void Larger_numbers_on_another_path_make_nothing_lost()
    {
        long slow = _driver.Send(path: 1);
        _driver.SendMany(100);
        _driver.Advance(20);
        _ = _driver.AckRange(1, 100);
        Assert.Empty(_driver.Lost);
        Assert.Equal(1200, _other.BytesInFlight);
        Assert.Equal(0, _driver.Path.BytesInFlight);
        Assert.False(_other.Rtt.HasSample);

        _driver.Advance(180);
        _ = _driver.AckRange(slow, 100);
        Assert.Equal(Ms(200), _other.Rtt.Smoothed);
        Assert.Equal(Ms(20), _driver.Path.Rtt.Smoothed);
    }

    [Fact]
    public void Interleaved_packets_are_counted_per_path()
    {
        // Even numbers on path 0, odd ones on path 1.
        for (int i = 0; i < 8; i++)
        {
            _ = _driver.Send(path: i % 2);
        }

        _driver.Advance(20);
        _ = _driver.Ack(4);
        Assert.Empty(_driver.Lost);
        _ = _driver.Ack(6);
        Assert.Equal([0], _driver.Lost);
        Assert.Equal(1, _driver.Path.CongestionEvents);
        Assert.Equal(0, _other.CongestionEvents);
    }

    [Fact]
    public void Each_path_has_its_own_probe_timeout_and_backoff()
    {
        _driver.Sample(10);
        _driver.Sample(200, path: 1);
        _ = _driver.Send(path: 0);
        _ = _driver.Send(path: 1);
        TimeSpan start = _driver.Now;

        // 10 + 4 * 5 + 25 = 55 ms; 200 + 4 * 100 + 25 = 625 ms.
        Assert.Equal(start + Ms(55), _driver.Loss.NextTimeout);
        Assert.Equal(0, _driver.RunTimer()!.Value.Path.Value);
        Assert.Equal(0, _driver.RunTimer()!.Value.Path.Value);
        Assert.Equal(start + Ms(55 + 110), _driver.Now);
        Assert.Equal(2, _driver.Path.PtoCount);
        Assert.Equal(0, _other.PtoCount);

        _driver.Now = start + Ms(625);
        Assert.True(_driver.Loss.HandleTimeout(_driver.Now, out _));
        Assert.True(_driver.Loss.HandleTimeout(_driver.Now, out ProbeRequest second));
        Assert.Equal(1, second.Path.Value);
        Assert.False(_driver.Loss.HandleTimeout(_driver.Now, out _));
        Assert.Equal(1, _other.PtoCount);
    }

    [Fact]
    public void What_is_in_flight_on_a_path_that_is_removed_is_lost_and_nobody_slows_down()
    {
        _driver.SendMany(2);
        _driver.SendMany(3, path: 1);
        _driver.Loss.RemovePath(_driver.Now, new PathId(1));
        Assert.Equal([2, 3, 4], _driver.Lost);
        Assert.Throws<ArgumentException>(() => _driver.Send(path: 1));
        Assert.Equal(2400, _driver.Path.BytesInFlight);
        Assert.Equal(0, _driver.Path.CongestionEvents);
        _driver.Advance(10);
        Assert.False(_driver.AckRange(0, 4).IsError);
        Assert.Equal([0, 1], _driver.Acknowledged);
    }

    [Fact]
    public void A_dead_path_hands_over_what_it_has_and_stays()
    {
        _driver.SendMany(3, path: 1);
        _driver.Loss.MarkAllLost(_driver.Now, new PathId(1));
        Assert.Equal([0, 1, 2], _driver.LostFrames.ConvertAll(frame => frame.Offset));
        Assert.Equal(0, _other.BytesInFlight);
        Assert.Equal(0, _other.CongestionEvents);
        Assert.Equal(0, _driver.Loss.CountAckElicitingInFlight(new PathId(1)));
        Assert.Null(_driver.Loss.NextTimeout);
        _ = _driver.Send(path: 1);
        Assert.Equal(1200, _other.BytesInFlight);
    }

    [Fact]
    public void A_path_that_answers_nothing_does_not_make_the_others_packets_pile_up()
    {
        _ = _driver.Send(path: 1);
        for (int i = 0; i < 10_000; i++)
        {
            long number = _driver.Send();
            _ = _driver.Ack(number);
        }

        Assert.Equal(1200, _other.BytesInFlight);
        long before = GC.GetAllocatedBytesForCurrentThread();
        _driver.IsRecording = false;
        for (int i = 0; i < 10_000; i++)
        {
            long number = _driver.Send();
            _ = _driver.Ack(number);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void What_was_handed_over_is_lost_at_once_and_its_frames_may_still_be_acknowledged()
    {
        _driver.Sample(40, path: 1);
        _driver.SendMany(6, path: 1);
        (TimeSpan rtt, long window) = (_other.Rtt.Smoothed, _other.CongestionWindow);
        _driver.Loss.HandOver(_driver.Now, new PathId(1));
        _driver.Loss.HandOver(_driver.Now, new PathId(1));
        Assert.Equal([1, 2, 3, 4, 5, 6], _driver.Lost);
        Assert.Equal((0L, 0L), (_other.BytesInFlight, _other.CongestionEvents));
        Assert.Equal(0, _driver.Loss.CountAckElicitingInFlight(new PathId(1)));
        Assert.Null(_driver.Loss.NextTimeout);

        // They say nothing of the path, neither of its round trip nor of its window.
        _driver.Advance(500);
        _driver.AcknowledgedFrames.Clear();
        Assert.False(_driver.AckRange(1, 3).IsError);
        Assert.Equal([1, 2, 3], _driver.AcknowledgedFrames.ConvertAll(frame => frame.Offset));
        Assert.Equal((rtt, window), (_other.Rtt.Smoothed, _other.CongestionWindow));

        // A packet of later makes those in front of it no loss.
        long fresh = _driver.Send(path: 1);
        _driver.Advance(50);
        _ = _driver.Ack(fresh);
        _ = _driver.Ack(5);
        Assert.Equal([1, 2, 3, 4, 5, 6], _driver.Lost);
        Assert.Equal((0L, 0L), (_other.BytesInFlight, _other.CongestionEvents));
    }

    [Fact]
    public void What_was_handed_over_is_forgotten_with_its_path_and_told_once()
    {
        _driver.SendMany(3, path: 1);
        _driver.Loss.HandOver(_driver.Now, new PathId(1));
        _driver.Loss.MarkAllLost(_driver.Now, new PathId(1));
        _driver.Loss.RetransmitOldest(PacketNumberSpace.Application, new PathId(1), 3);
        Assert.Equal([0, 1, 2], _driver.LostFrames.ConvertAll(frame => frame.Offset));
        Assert.False(_driver.AckRange(0, 2).IsError);
        Assert.Empty(_driver.AcknowledgedFrames);
    }

    // RFC 9002 section 5.1 needs the acknowledgement of the path's own packets; where it came another way it measures both ways.
    [Fact]
    public void A_round_trip_is_the_paths_own_where_acknowledgements_come_the_same_way()
    {
        Answer(90, way: 0);
        Assert.Equal(Ms(90), _other.Rtt.Smoothed);
        Answer(40, way: 1);
        Assert.Equal((Ms(40), Ms(40)), (_other.Rtt.Smoothed, _other.Rtt.Minimum));
        Answer(10, way: 0);
        Answer(200, way: 0);
        Assert.Equal((Ms(40), Ms(40)), (_other.Rtt.Smoothed, _other.Rtt.Minimum));

        // Nothing comes the same way any more: a probe timeout shows it.
        long number = _driver.Send(path: 1);
        _driver.Now = _driver.Loss.NextTimeout!.Value;
        Assert.True(_driver.Loss.HandleTimeout(_driver.Now, out _));
        _driver.Advance(10);
        _ = _driver.Ack(number);
        Assert.True(_other.Rtt.Smoothed > Ms(50));

        void Answer(double after, int way)
        {
            long sent = _driver.Send(path: 1);
            _driver.Advance(after);
            _driver.AckWay = new PathId(way);
            _ = _driver.Ack(sent);
        }
    }
}
