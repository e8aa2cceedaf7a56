using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Tests.Paths.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Paths;

/// <summary>RFC 9000 sections 5.1.1 and 19.16.</summary>
public sealed class LocalConnectionIdsTests
{
    private readonly FakeRoutes _routes = new();
    private readonly ConnectionId _first;
    private readonly LocalConnectionIds _ids;

    public LocalConnectionIdsTests()
    {
        _first = _routes.Issue(out _);
        _ids = new LocalConnectionIds(_routes, _first);
    }

    [Fact]
    public void Nothing_is_issued_before_the_peers_limit_is_known()
    {
        Assert.False(_ids.HasFramesToSend);
        Assert.Empty(Issued());
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(4, 3)]
    [InlineData(8, 7)]
    [InlineData(9, 7)]
    [InlineData(long.MaxValue, 7)]
    public void As_many_are_issued_as_the_peer_takes_and_never_more_than_eight(long limit, int expected)
    {
        _ids.SetPeerLimit(limit);
        Assert.True(_ids.HasFramesToSend);
        List<NewConnectionIdFrame> frames = Issued();
        Assert.Equal(expected, frames.Count);
        Assert.False(_ids.HasFramesToSend);
        Assert.Equal(Enumerable.Range(1, expected).Select(i => (long)i), frames.Select(f => f.SequenceNumber));
        Assert.All(frames, f => Assert.Equal(0, f.RetirePriorTo));
        Assert.All(frames, f => Assert.Contains(f.ConnectionId, _routes.Ids));
        Assert.Equal(frames.Count, frames.Select(f => f.ResetToken).Distinct().Count());
        Assert.Equal(1 + expected, _ids.Count);
    }

    [Fact]
    public void A_retired_id_leads_nowhere_and_is_replaced()
    {
        _ids.SetPeerLimit(3);
        List<NewConnectionIdFrame> frames = Issued();
        Assert.Equal(QuicError.None, _ids.OnRetire(new RetireConnectionIdFrame(1), _first));
        Assert.DoesNotContain(frames[0].ConnectionId, _routes.Ids);
        NewConnectionIdFrame replacement = Assert.Single(Issued());
        Assert.Equal(3, replacement.SequenceNumber);

        Assert.Equal(QuicError.None, _ids.OnRetire(new RetireConnectionIdFrame(0), frames[1].ConnectionId));
        Assert.DoesNotContain(_first, _routes.Ids);
        Assert.Equal(4, Assert.Single(Issued()).SequenceNumber);
    }

    [Fact]
    public void Retiring_an_id_twice_is_no_error_and_brings_one_replacement()
    {
        _ids.SetPeerLimit(3);
        _ = Issued();
        Assert.False(_ids.OnRetire(new RetireConnectionIdFrame(1), _first).IsError);
        Assert.False(_ids.OnRetire(new RetireConnectionIdFrame(1), _first).IsError);
        _ = Assert.Single(Issued());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(VariableLengthInteger.MaxValue)]
    public void Retiring_an_id_that_was_never_issued_is_an_error(long sequenceNumber)
    {
        _ids.SetPeerLimit(3);
        _ = Issued();
        QuicError error = _ids.OnRetire(new RetireConnectionIdFrame(sequenceNumber), _first);
        Assert.Equal((TransportErrorCode.ProtocolViolation, FrameType.RetireConnectionId), (error.Code, error.FrameType));
        Assert.Equal(3, _ids.Count);
    }

    [Fact]
    public void Retiring_the_id_that_the_packet_came_to_is_an_error()
    {
        _ids.SetPeerLimit(3);
        List<NewConnectionIdFrame> frames = Issued();
        Assert.Equal(TransportErrorCode.ProtocolViolation, _ids.OnRetire(new RetireConnectionIdFrame(0), _first).Code);
        Assert.Equal(TransportErrorCode.ProtocolViolation, _ids.OnRetire(new RetireConnectionIdFrame(2), frames[1].ConnectionId).Code);
        Assert.Equal(3, _routes.Ids.Count);
    }

    [Fact]
    public void A_lost_frame_is_sent_again_as_it_was()
    {
        _ids.SetPeerLimit(4);
        List<NewConnectionIdFrame> frames = Issued();
        _ids.OnFrameLost(2);
        _ids.OnFrameLost(2);
        Assert.True(_ids.HasFramesToSend);
        Assert.Equal(frames[1], Assert.Single(Issued()));
        Assert.False(_ids.HasFramesToSend);
    }

    [Fact]
    public void A_frame_whose_id_was_retired_or_that_arrived_after_all_is_not_sent_again()
    {
        _ids.SetPeerLimit(4);
        _ = Issued();
        _ids.OnFrameLost(2);
        Assert.False(_ids.OnRetire(new RetireConnectionIdFrame(2), _first).IsError);
        _ids.OnFrameLost(1);
        _ids.OnFrameAcknowledged(1);
        _ids.OnFrameLost(1);
        Assert.Equal(4, Assert.Single(Issued()).SequenceNumber);
        _ids.OnFrameLost(2);
        _ids.OnFrameLost(99);
        Assert.False(_ids.HasFramesToSend);
    }

    [Fact]
    public void An_id_is_not_drawn_for_a_packet_that_has_no_room()
    {
        _ids.SetPeerLimit(2);
        Assert.Empty(Issued(room: 39));
        _ = Assert.Single(_routes.Ids);
        Assert.True(_ids.HasFramesToSend);
        _ = Assert.Single(Issued(room: 100));
    }

    [Fact]
    public void A_lost_frame_waits_for_a_packet_with_room()
    {
        _ids.SetPeerLimit(2);
        _ = Issued();
        _ids.OnFrameLost(1);
        Assert.Empty(Issued(room: 10));
        Assert.True(_ids.HasFramesToSend);
        _ = Assert.Single(Issued());
    }

    [Fact]
    public void An_endpoint_without_ids_issues_none_and_has_none_retired()
    {
        var ids = new LocalConnectionIds(_routes, default);
        ids.SetPeerLimit(8);
        Assert.False(ids.HasFramesToSend);
        Assert.Empty(FrameSink.Issued(ids.TryWrite));
        QuicError error = ids.OnRetire(new RetireConnectionIdFrame(0), default);
        Assert.Equal(TransportErrorCode.ProtocolViolation, error.Code);
        ids.RetireAll();
    }

    [Fact]
    public void The_end_of_the_connection_retires_all()
    {
        _ids.SetPeerLimit(5);
        _ = Issued();
        _ids.OnFrameLost(2);
        _ids.RetireAll();
        Assert.Empty(_routes.Ids);
        Assert.False(_ids.HasFramesToSend);
        Assert.Empty(Issued());
        _ids.RetireAll();
    }

    [Fact]
    public void A_peer_that_retires_without_end_never_makes_more_than_eight()
    {
        _ids.SetPeerLimit(1_000);
        var random = new Random(5);
        var active = Issued().Select(f => (f.SequenceNumber, f.ConnectionId)).ToList();
        active.Add((0, _first));
        for (int i = 0; i < 10_000; i++)
        {
            (long number, ConnectionId id) = active[random.Next(active.Count)];
            ConnectionId carrier = active.First(a => a.SequenceNumber != number).ConnectionId;
            Assert.False(_ids.OnRetire(new RetireConnectionIdFrame(number), carrier).IsError);
            _ = active.Remove((number, id));
            active.AddRange(Issued().Select(f => (f.SequenceNumber, f.ConnectionId)));
            Assert.Equal(LocalConnectionIds.MaxActive, _routes.Ids.Count);
            Assert.Equal(active.Select(a => a.ConnectionId).ToHashSet(), _routes.Ids);
        }
    }

    private List<NewConnectionIdFrame> Issued(int room = 1000) => FrameSink.Issued(_ids.TryWrite, room);
}
