using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Tests.Paths.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Paths;

/// <summary>Ids that go from path to path, because the peer gave too few (RFC 9000 section 9.5) or took some back (section 19.15).</summary>
public sealed class HandedIdTests
{
    private static readonly PathId First = new(1);
    private static readonly PathId Second = new(2);
    private static readonly PathId Third = new(3);

    private readonly FakeRoutes _routes = new();
    private readonly RemoteConnectionIds _ids;

    public HandedIdTests()
    {
        _ids = new RemoteConnectionIds(_routes, activeLimit: 8);
        _ids.SetInitial(FakeRoutes.Id(0));
        Assert.True(_ids.TryAssign(First));
    }

    [Fact]
    public void The_id_goes_to_the_new_path_and_letting_the_old_one_go_retires_nothing()
    {
        _ids.Hand(First, Second);
        Assert.Equal(0, NumberOf(Second));
        Assert.False(_ids.TryGet(First, out _));
        _ids.Release(First);
        Assert.False(_ids.HasFramesToSend);
        Assert.Equal(0, NumberOf(Second));

        // Who was let go waits for nothing.
        Give(1);
        Assert.False(_ids.TryGet(First, out _));
        Assert.True(_ids.TryAssign(Third));
    }

    [Fact]
    public void The_old_path_gets_the_next_id_that_comes()
    {
        _ids.Hand(First, Second);
        Give(1);
        Assert.Equal((1, 0), (NumberOf(First), NumberOf(Second)));
        Assert.False(_ids.TryAssign(Third));
        Give(2);
        Assert.True(_ids.TryAssign(Third));
        _ids.Release(First);
        Assert.Equal([1], Retired());
    }

    [Fact]
    public void There_and_back_again_is_the_same_id()
    {
        _ids.Hand(First, Second);
        _ids.Hand(Second, First);
        Assert.Equal(0, NumberOf(First));
        Assert.False(_ids.TryGet(Second, out _));
        Give(1);
        Assert.Equal((0, 1), (NumberOf(First), NumberOf(Second)));
        Assert.Empty(Retired());
    }

    [Fact]
    public void A_path_with_an_id_of_its_own_takes_no_other()
    {
        Give(1);
        Assert.True(_ids.TryAssign(Second));
        _ids.Hand(First, Second);
        Assert.Equal((0, 1), (NumberOf(First), NumberOf(Second)));
        _ids.Hand(Third, First);
        Assert.Equal(0, NumberOf(First));
        Assert.False(_ids.TryGet(Third, out _));
    }

    [Fact]
    public void A_peer_without_ids_has_nothing_to_hand_over()
    {
        var ids = new RemoteConnectionIds(new FakeRoutes(), activeLimit: 8);
        ids.SetInitial(default);
        Assert.True(ids.TryAssign(First));
        ids.Hand(First, Second);
        Assert.True(ids.TryGet(First, out _));
        Assert.True(ids.TryGet(Second, out ConnectionId id));
        Assert.True(id.IsEmpty);
    }

    // Without end, as a NAT may: who waits is remembered, but not all of them.
    [Fact]
    public void Ever_new_paths_hand_it_on_and_what_is_remembered_stays_bounded()
    {
        for (int i = 1; i < 1_000; i++)
        {
            _ids.Hand(new PathId(i), new PathId(i + 1));
        }

        Assert.Equal(0, NumberOf(new PathId(1_000)));
        for (int i = 1; i < 8; i++)
        {
            Give(i);
        }

        Assert.Equal(0, NumberOf(new PathId(1_000)));
        Assert.Empty(Retired());
    }

    [Fact]
    public void The_reset_token_follows_the_id()
    {
        Give(1);
        Assert.True(_ids.TryAssign(Second));
        _ids.Hand(Second, Third);
        Assert.Equal(FakeRoutes.Token(1), Assert.Single(_routes.Tokens));
        _ids.Release(Third);
        Assert.Empty(_routes.Tokens);
    }

    [Fact]
    public void A_frame_that_comes_again_and_retires_more_than_before_gives_the_path_another_id_at_once()
    {
        Give(1);
        Give(2);
        Assert.Equal(0, NumberOf(First));
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(2, retirePriorTo: 2)));
        Assert.Equal(2, NumberOf(First));
        Assert.Equal([0, 1], Retired());
    }

    // The frame's own id is retired by an earlier one, which came after it.
    [Fact]
    public void A_frame_whose_id_is_taken_back_already_gives_waiting_paths_what_is_there()
    {
        Give(5);
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(3, retirePriorTo: 3)));
        Assert.Equal(3, NumberOf(First));
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(5, retirePriorTo: 5)));
        Assert.Equal(5, NumberOf(First));
        Assert.Equal([0, 3], Retired());
    }

    private static NewConnectionIdFrame Frame(long number, long retirePriorTo = 0) =>
        new(number, retirePriorTo, FakeRoutes.Id(number), FakeRoutes.Token(number));

    private void Give(long number) => Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(number)));

    private long NumberOf(PathId path)
    {
        Assert.True(_ids.TryGet(path, out ConnectionId id));
        return Enumerable.Range(0, 20).First(i => FakeRoutes.Id(i) == id);
    }

    private List<long> Retired() => FrameSink.Retired(_ids.TryWrite);
}
