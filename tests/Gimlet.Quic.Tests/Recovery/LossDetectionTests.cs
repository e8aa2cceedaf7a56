using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;
using Gimlet.Quic.Wire;
using static Gimlet.Quic.Tests.Recovery.Support.RecoveryDriver;

namespace Gimlet.Quic.Tests.Recovery;

public sealed class LossDetectionTests
{
    private readonly RecoveryDriver _driver = new();

    [Fact]
    public void An_acknowledged_packet_is_told_of_with_its_frames_once()
    {
        long number = _driver.Send();
        Assert.Equal(1200, _driver.Path.BytesInFlight);
        Assert.True(_driver.Loss.HasAckElicitingInFlight(PacketNumberSpace.Application));
        _driver.Advance(50);
        Assert.False(_driver.Ack(number).IsError);
        Assert.False(_driver.Ack(number).IsError);
        Assert.Equal([number], _driver.Acknowledged);
        Assert.Equal([new SentFrame(FrameType.Stream, 4, number, 1200)], _driver.AcknowledgedFrames);
        Assert.Equal(0, _driver.Path.BytesInFlight);
        Assert.Equal(number, _driver.Loss.LargestAcknowledged(PacketNumberSpace.Application));
        Assert.Equal(Ms(50), _driver.Path.Rtt.Smoothed);
        Assert.False(_driver.Loss.HasAckElicitingInFlight(PacketNumberSpace.Application));
        Assert.Null(_driver.Loss.NextTimeout);
    }

    [Fact]
    public void Three_later_packets_make_one_lost()
    {
        _driver.SendMany(4);
        _driver.Advance(50);
        _ = _driver.Ack(1, 2);
        Assert.Empty(_driver.Lost);
        _ = _driver.Ack(3);
        Assert.Equal([0], _driver.Lost);
        Assert.Equal(0, _driver.Path.BytesInFlight);
        Assert.Equal(1, _driver.Path.CongestionEvents);

        // Ten packets and the two that were acknowledged before, times 0.7.
        Assert.Equal(10080, _driver.Path.CongestionWindow);
    }

    [Fact]
    public void Age_makes_a_packet_lost_that_a_later_one_overtook()
    {
        _driver.Sample(80);
        long first = _driver.Send();
        long second = _driver.Send();
        TimeSpan sentAt = _driver.Now;
        _driver.Advance(80);
        _ = _driver.Ack(second);

        // RFC 9002 section 6.1.2: 9/8 of 80 ms after it was sent.
        Assert.Equal(sentAt + Ms(90), _driver.Loss.NextTimeout);
        _driver.Now = sentAt + Ms(89.9);
        Assert.False(_driver.Loss.HandleTimeout(_driver.Now, out _));
        Assert.Empty(_driver.Lost);
        Assert.Null(_driver.RunTimer());
        Assert.Equal([first], _driver.Lost);
        Assert.Equal([first], _driver.LostFrames.ConvertAll(frame => frame.Offset));
        Assert.Null(_driver.Loss.NextTimeout);
    }

    [Fact]
    public void Packets_after_the_largest_acknowledged_are_never_lost_by_age()
    {
        _driver.Sample(10);
        long first = _driver.Send();
        long second = _driver.Send();
        _driver.Advance(10);
        _ = _driver.Ack(first);
        _driver.Advance(100_000);
        ProbeRequest? probe = _driver.RunTimer();
        Assert.Equal(new ProbeRequest(PacketNumberSpace.Application, new PathId(0)), probe);
        Assert.Empty(_driver.Lost);
        Assert.True(_driver.Loss.CountAckElicitingInFlight(new PathId(0)) > 0, $"packet {second} is in flight");
    }

    [Fact]
    public void An_acknowledgement_of_a_packet_that_was_never_sent_is_a_protocol_violation_and_changes_nothing()
    {
        _driver.SendMany(3);
        QuicError error = _driver.Ack(0, 1, 3);
        Assert.Equal(TransportErrorCode.ProtocolViolation, error.Code);
        Assert.Equal(FrameType.Ack, error.FrameType);
        Assert.Empty(_driver.Acknowledged);
        Assert.Equal(3600, _driver.Path.BytesInFlight);
        Assert.Equal(PacketNumber.None, _driver.Loss.LargestAcknowledged(PacketNumberSpace.Application));
        Assert.True(_driver.AckRange(0, VariableLengthInteger.MaxValue).IsError);
    }

    [Fact]
    public void A_range_of_everything_ever_sent_is_taken_as_it_is()
    {
        _driver.SendMany(2);
        Assert.False(_driver.AckRange(0, 1).IsError);
        _driver.SendMany(2);
        Assert.False(_driver.AckRange(0, 3).IsError);
        Assert.Equal([0, 1, 2, 3], _driver.Acknowledged);
    }

    [Fact]
    public void Nothing_but_an_ack_is_not_in_flight_and_never_lost()
    {
        long number = _driver.SendAck();
        Assert.Equal(0, _driver.Path.BytesInFlight);
        Assert.Null(_driver.Loss.NextTimeout);
        _driver.SendMany(5);
        _driver.Advance(20);
        _ = _driver.Ack(5);
        Assert.DoesNotContain(number, _driver.Acknowledged);
        Assert.DoesNotContain(number, _driver.Lost);

        long second = _driver.SendAck();
        _ = _driver.Ack(second);
        Assert.Contains(_driver.AcknowledgedFrames, frame => frame.Type is FrameType.Ack && frame.Offset == second);
    }

    [Fact]
    public void A_peer_that_answers_nothing_but_acks_makes_nothing_grow()
    {
        _ = _driver.Send();
        for (int i = 0; i < 1000; i++)
        {
            _ = _driver.SendAck();
        }

        Assert.False(_driver.AckRange(1, 1000).IsError);
        Assert.Equal(_driver.Settings.MaxRememberedAckOnly, _driver.Acknowledged.Count);
        Assert.Equal(1000, _driver.Acknowledged[^1]);
    }

    [Fact]
    public void A_packet_that_only_probes_for_the_mtu_is_lost_without_a_congestion_event()
    {
        long probe = _driver.Send(size: 1452, isMtuProbe: true);
        _driver.SendMany(3);
        _driver.Advance(30);
        _ = _driver.Ack(1, 2, 3);
        Assert.Equal([probe], _driver.Lost);
        Assert.Equal(0, _driver.Path.CongestionEvents);
        Assert.True(_driver.Path.IsInSlowStart);
        Assert.Equal(0, _driver.Path.BytesInFlight);
    }

    [Fact]
    public void Losses_of_one_round_trip_are_one_congestion_event()
    {
        _driver.SendMany(10);
        _driver.Advance(30);
        _ = _driver.Ack(3);
        _ = _driver.Ack(9);
        Assert.Equal([0, 1, 2, 4, 5, 6], _driver.Lost);
        Assert.Equal(1, _driver.Path.CongestionEvents);
        Assert.Equal(8400, _driver.Path.CongestionWindow);

        // What was sent after the reduction is another one.
        _driver.Advance(1);
        _driver.SendMany(5);
        _driver.Advance(30);
        _ = _driver.Ack(14);
        Assert.Equal(2, _driver.Path.CongestionEvents);
        Assert.Equal(5880, _driver.Path.CongestionWindow);
    }

    [Fact]
    public void A_discarded_space_leaves_nothing_behind()
    {
        _ = _driver.Send(space: PacketNumberSpace.Initial);
        _ = _driver.Send(space: PacketNumberSpace.Initial);
        _ = _driver.Send(space: PacketNumberSpace.Handshake);
        Assert.NotNull(_driver.RunTimer());
        Assert.Equal(1, _driver.Path.PtoCount);
        _driver.Loss.DiscardSpace(PacketNumberSpace.Initial);
        Assert.Equal(1200, _driver.Path.BytesInFlight);
        Assert.Equal(0, _driver.Path.PtoCount);
        Assert.Empty(_driver.LostFrames);
        Assert.False(_driver.AckIn(PacketNumberSpace.Initial, TimeSpan.Zero, null, 0, 1).IsError);
        Assert.Empty(_driver.Acknowledged);
        _driver.Loss.DiscardSpace(PacketNumberSpace.Handshake);
        Assert.Equal(0, _driver.Path.BytesInFlight);
        Assert.Null(_driver.Loss.NextTimeout);
    }

    [Fact]
    public void A_retry_sends_the_initial_packets_again_with_other_numbers()
    {
        var driver = new RecoveryDriver(EndpointRole.Client);
        driver.Loss.IsHandshakeConfirmed = false;
        _ = driver.Send(space: PacketNumberSpace.Initial);
        Assert.NotNull(driver.RunTimer());
        _ = driver.Send(space: PacketNumberSpace.Initial);
        driver.Loss.OnRetry();
        Assert.Equal([0, 1], driver.LostFrames.ConvertAll(frame => frame.Offset));
        Assert.Equal(0, driver.Path.BytesInFlight);
        Assert.Equal(0, driver.Path.PtoCount);
        Assert.Equal(0, driver.Path.CongestionEvents);
        Assert.Equal(2, driver.Loss.NextPacketNumber(PacketNumberSpace.Initial));
    }

    [Fact]
    public void The_first_handshake_acknowledgement_tells_a_client_that_its_address_is_known()
    {
        var driver = new RecoveryDriver(EndpointRole.Client);
        driver.Loss.IsHandshakeConfirmed = false;
        Assert.False(driver.Loss.IsPeerAddressValidated);
        _ = driver.Send(space: PacketNumberSpace.Handshake);
        _ = driver.AckIn(PacketNumberSpace.Handshake, TimeSpan.Zero, null, 0);
        Assert.True(driver.Loss.IsPeerAddressValidated);
    }

    [Fact]
    public void A_wrong_number_or_path_is_the_callers_mistake()
    {
        var packet = new SentPacket(1, _driver.Now, new PathId(0), 100, true, true);
        Assert.Throws<ArgumentException>(() => _driver.Loss.OnPacketSent(PacketNumberSpace.Application, packet, []));
        var elsewhere = new SentPacket(0, _driver.Now, new PathId(7), 100, true, true);
        Assert.Throws<ArgumentException>(() => _driver.Loss.OnPacketSent(PacketNumberSpace.Application, elsewhere, []));
        Assert.Throws<ArgumentException>(() => _driver.AddPath(0));
    }
}
