using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Paths.Support;
using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Paths;

/// <summary>RFC 9000 sections 5.1.2, 9.5, 10.3.1 and 19.15.</summary>
public sealed class RemoteConnectionIdsTests
{
    private const int Limit = 8;

    private static readonly PathId First = new(1);
    private static readonly PathId Second = new(2);
    private static readonly PathId Third = new(3);

    private readonly FakeRoutes _routes = new();
    private readonly RemoteConnectionIds _ids;

    public RemoteConnectionIdsTests()
    {
        _ids = new RemoteConnectionIds(_routes, Limit);
        _ids.SetInitial(FakeRoutes.Id(0));
        Assert.True(_ids.TryAssign(First));
    }

    [Fact]
    public void The_id_of_the_handshake_belongs_to_the_first_path()
    {
        Assert.True(_ids.TryGet(First, out ConnectionId id));
        Assert.Equal(FakeRoutes.Id(0), id);
        Assert.True(_ids.TryAssign(First));
        Assert.False(_ids.TryAssign(Second));
        Assert.False(_ids.TryGet(Second, out _));
    }

    [Fact]
    public void The_servers_choice_replaces_what_the_client_made_up()
    {
        _ids.SetInitial(FakeRoutes.Id(500));
        Assert.True(_ids.TryGet(First, out ConnectionId id));
        Assert.Equal(FakeRoutes.Id(500), id);
        Assert.Equal(1, _ids.Count);
        Assert.False(_ids.HasFramesToSend);
    }

    [Fact]
    public void Each_path_has_an_id_of_its_own()
    {
        Give(1);
        Give(2);
        Assert.True(_ids.TryAssign(Second));
        Assert.True(_ids.TryAssign(Third));
        Assert.Equal([0, 1, 2], [NumberOf(First), NumberOf(Second), NumberOf(Third)]);
        Assert.False(_ids.TryAssign(new PathId(4)));
    }

    [Fact]
    public void A_path_that_is_not_used_any_more_retires_its_id()
    {
        Give(1);
        Assert.True(_ids.TryAssign(Second));
        _ids.Release(Second);
        Assert.False(_ids.TryGet(Second, out _));
        Assert.Equal([1], Retired());
        Assert.False(_ids.TryAssign(Third));
        _ids.Release(Second);
        Assert.False(_ids.HasFramesToSend);
    }

    [Fact]
    public void Retire_Prior_To_moves_paths_to_spare_ids()
    {
        Give(1);
        Give(2);
        Assert.True(_ids.TryAssign(Second));
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(3, retirePriorTo: 2)));
        Assert.Equal([2, 3], [NumberOf(First), NumberOf(Second)]);
        Assert.Equal([0, 1], Retired());
        Assert.Equal(2, _ids.Count);
    }

    [Fact]
    public void A_path_without_an_id_gets_the_next_that_comes()
    {
        Give(1);
        Assert.True(_ids.TryAssign(Second));
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(2, retirePriorTo: 2)));
        Assert.Equal(2, NumberOf(First));
        Assert.False(_ids.TryGet(Second, out _));
        Assert.False(_ids.TryAssign(Third));
        Give(3);
        Assert.Equal(3, NumberOf(Second));
    }

    [Fact]
    public void A_waiting_path_that_was_released_gets_nothing()
    {
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(2, retirePriorTo: 2)));
        Give(3);
        Assert.True(_ids.TryAssign(Second));
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(4, retirePriorTo: 4)));
        Assert.False(_ids.TryGet(Second, out _));
        _ids.Release(Second);
        Give(5);
        Assert.False(_ids.TryGet(Second, out _));
        Assert.True(_ids.TryAssign(Third));
    }

    [Fact]
    public void A_smaller_Retire_Prior_To_has_no_effect()
    {
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(5, retirePriorTo: 5)));
        Assert.Equal([0], Retired());
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(6, retirePriorTo: 2)));
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(7, retirePriorTo: 0)));
        Assert.Empty(Retired());
        Assert.Equal(3, _ids.Count);
    }

    [Fact]
    public void An_id_below_Retire_Prior_To_is_retired_when_it_comes()
    {
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(5, retirePriorTo: 5)));
        Assert.Equal([0], Retired());
        Give(3);
        Give(3);
        Assert.Equal([3], Retired());
        Assert.Equal(1, _ids.Count);
    }

    [Fact]
    public void A_copy_of_a_frame_is_no_error_and_no_second_id()
    {
        Give(1);
        Give(1);
        Assert.Equal(2, _ids.Count);
        _ids.Release(First);
        Assert.True(_ids.TryAssign(Second));
        _ids.Release(Second);
        Assert.Equal([0, 1], Retired());

        // The id was retired since: the copy must not bring it back.
        Give(1);
        Assert.Equal(0, _ids.Count);
        Assert.False(_ids.TryAssign(Third));
    }

    [Fact]
    public void A_number_an_id_or_a_token_that_is_used_for_something_else_is_an_error()
    {
        Give(1);
        AssertViolation(new NewConnectionIdFrame(1, 0, FakeRoutes.Id(9), FakeRoutes.Token(1)));
        AssertViolation(new NewConnectionIdFrame(1, 0, FakeRoutes.Id(1), FakeRoutes.Token(9)));
        AssertViolation(new NewConnectionIdFrame(2, 0, FakeRoutes.Id(1), FakeRoutes.Token(1)));
        AssertViolation(new NewConnectionIdFrame(2, 0, FakeRoutes.Id(1), FakeRoutes.Token(2)));
        AssertViolation(new NewConnectionIdFrame(2, 0, FakeRoutes.Id(2), FakeRoutes.Token(1)));
        AssertViolation(new NewConnectionIdFrame(0, 0, FakeRoutes.Id(2), FakeRoutes.Token(2)));
        AssertViolation(new NewConnectionIdFrame(2, 0, FakeRoutes.Id(0), FakeRoutes.Token(2)));
        Assert.Equal(2, _ids.Count);
    }

    [Fact]
    public void More_ids_than_the_limit_are_an_error()
    {
        for (int i = 1; i < Limit; i++)
        {
            Give(i);
        }

        QuicError error = _ids.OnNewConnectionId(Frame(Limit));
        Assert.Equal((TransportErrorCode.ConnectionIdLimitError, FrameType.NewConnectionId), (error.Code, error.FrameType));
    }

    [Fact]
    public void A_frame_may_exceed_the_limit_when_it_retires_enough()
    {
        for (int i = 1; i < Limit; i++)
        {
            Give(i);
        }

        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(Limit, retirePriorTo: 1)));
        Assert.Equal(Limit, _ids.Count);
        Assert.Equal([0], Retired());
        Assert.Equal(1, NumberOf(First));
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(100, retirePriorTo: 100)));
        Assert.Equal(1, _ids.Count);
        Assert.Equal(100, NumberOf(First));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], Retired());
    }

    [Fact]
    public void A_peer_without_ids_serves_all_paths_and_must_not_issue_any()
    {
        _ids.SetInitial(default);
        Assert.True(_ids.TryAssign(Second));
        Assert.True(_ids.TryGet(Second, out ConnectionId id));
        Assert.True(id.IsEmpty);
        Assert.True(_ids.TryGet(First, out id));
        Assert.True(id.IsEmpty);
        _ids.Release(Second);
        Assert.False(_ids.HasFramesToSend);
        AssertViolation(Frame(1));
    }

    [Fact]
    public void Retirements_that_pile_up_end_the_connection()
    {
        // CVE-2024-22189: each frame retires what came before, and nothing that we send gets through.
        QuicError error = QuicError.None;
        int frames = 0;
        while (!error.IsError)
        {
            frames++;
            Assert.InRange(frames, 1, 100);
            error = _ids.OnNewConnectionId(Frame(frames, retirePriorTo: frames));
        }

        Assert.Equal(TransportErrorCode.ConnectionIdLimitError, error.Code);
        Assert.True(frames > 2 * Limit, "RFC 9000 section 5.1.2 wants room for twice the limit.");
    }

    [Fact]
    public void Old_ids_that_pile_up_end_the_connection()
    {
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(10_000, retirePriorTo: 10_000)));
        QuicError error = QuicError.None;
        int frames = 0;
        while (!error.IsError)
        {
            Assert.InRange(++frames, 1, 100);
            error = _ids.OnNewConnectionId(Frame(frames));
        }

        Assert.Equal(TransportErrorCode.ConnectionIdLimitError, error.Code);
    }

    [Fact]
    public void Retirements_that_are_lost_again_and_again_end_the_connection()
    {
        QuicError error = QuicError.None;
        var sent = new List<long>();
        int frames = 0;
        while (!error.IsError)
        {
            Assert.InRange(++frames, 1, 1_000);
            error = _ids.OnNewConnectionId(Frame(frames, retirePriorTo: frames));
            sent.AddRange(Retired());
            if (sent.Count == 300)
            {
                sent.ForEach(_ids.OnFrameLost);
            }
        }

        Assert.Equal(TransportErrorCode.ConnectionIdLimitError, error.Code);
        Assert.Equal(301, frames);
    }

    [Fact]
    public void A_lost_retirement_is_sent_again()
    {
        Give(1);
        Assert.True(TryRenew(_ids, First));
        Assert.Equal([0], Retired());
        _ids.OnFrameLost(0);
        _ids.OnFrameLost(0);
        Assert.Equal([0], Retired());
        Assert.False(_ids.HasFramesToSend);
    }

    [Fact]
    public void A_retirement_waits_for_a_packet_with_room()
    {
        Give(1);
        Assert.True(TryRenew(_ids, First));
        Assert.Empty(FrameSink.Retired(_ids.TryWrite, room: 1));
        Assert.True(_ids.HasFramesToSend);
        Assert.Equal([0], FrameSink.Retired(_ids.TryWrite, room: 2));
    }

    [Fact]
    public void Numbers_that_are_far_apart_are_an_error()
    {
        Give(SequenceNumberWindow.Width);
        AssertViolation(Frame(SequenceNumberWindow.Width + 1));
        Give(1);
        Give(SequenceNumberWindow.Width + 1);
        AssertViolation(Frame(VariableLengthInteger.MaxValue));
    }

    [Fact]
    public void The_largest_number_there_is_can_be_used()
    {
        long last = VariableLengthInteger.MaxValue;
        Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(last, retirePriorTo: last)));
        Assert.Equal(1, _ids.Count);
        Assert.True(_ids.TryGet(First, out _));
    }

    [Fact]
    public void Only_tokens_of_ids_in_use_reset_the_connection()
    {
        Give(1);
        Assert.False(_ids.IsResetToken(FakeRoutes.TokenBytes(1)));
        Assert.Empty(_routes.Tokens);

        Assert.True(_ids.TryAssign(Second));
        Assert.True(_ids.IsResetToken(FakeRoutes.TokenBytes(1)));
        Assert.Equal([FakeRoutes.Token(1)], _routes.Tokens);

        _ids.Release(Second);
        Assert.False(_ids.IsResetToken(FakeRoutes.TokenBytes(1)));
        Assert.Empty(_routes.Tokens);
    }

    [Fact]
    public void A_token_that_differs_in_one_bit_or_length_is_none()
    {
        _ids.SetInitialToken(FakeRoutes.Token(77));
        byte[] token = FakeRoutes.TokenBytes(77);
        Assert.True(_ids.IsResetToken(token));
        for (int bit = 0; bit < 128; bit++)
        {
            byte[] changed = [.. token];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(_ids.IsResetToken(changed));
        }

        Assert.False(_ids.IsResetToken(token.AsSpan(1)));
        Assert.False(_ids.IsResetToken([.. token, 0]));
    }

    [Fact]
    public void An_id_without_a_token_is_not_reset_by_zeros() => Assert.False(_ids.IsResetToken(new byte[16]));

    [Fact]
    public void The_token_of_the_handshake_goes_when_its_id_is_retired()
    {
        _ids.SetInitialToken(FakeRoutes.Token(77));
        Assert.Equal([FakeRoutes.Token(77)], _routes.Tokens);
        Give(1);
        Assert.True(TryRenew(_ids, First));
        Assert.Equal([FakeRoutes.Token(1)], _routes.Tokens);
        _ids.SetInitialToken(FakeRoutes.Token(78));
        Assert.Equal([FakeRoutes.Token(1)], _routes.Tokens);
    }

    [Fact]
    public void The_end_of_the_connection_forgets_the_tokens()
    {
        _ids.SetInitialToken(FakeRoutes.Token(77));
        Give(1);
        Give(2);
        Assert.True(_ids.TryAssign(Second));
        _ids.Clear();
        Assert.Empty(_routes.Tokens);
        Assert.False(_ids.TryGet(First, out _));
        _ids.Clear();
    }

    [Fact]
    public void The_preferred_address_brings_the_id_of_number_one()
    {
        Assert.Equal(QuicError.None, _ids.AddPreferred(FakeRoutes.Id(1), FakeRoutes.Token(1)));
        Assert.True(_ids.TryAssign(Second));
        Assert.Equal(1, NumberOf(Second));
    }

    [Fact]
    public void An_honest_peer_is_served_for_as_long_as_it_likes()
    {
        // Both sides of the rules against each other: what one issues, the other takes; every id but the carrier's may be given up.
        var routes = new FakeRoutes();
        var local = new LocalConnectionIds(routes, routes.Issue(out _));
        local.SetPeerLimit(Limit);
        var remote = new RemoteConnectionIds(_routes, Limit);
        remote.SetInitial(routes.Ids.First());
        Assert.True(remote.TryAssign(First));
        var random = new Random(51);
        var delayed = new List<NewConnectionIdFrame>();
        for (int i = 0; i < 20_000; i++)
        {
            delayed.AddRange(FrameSink.Issued(local.TryWrite));
            while (delayed.Count > 0 && random.Next(3) > 0)
            {
                int index = random.Next(delayed.Count);
                Assert.Equal(QuicError.None, remote.OnNewConnectionId(delayed[index]));
                if (random.Next(4) > 0)
                {
                    delayed.RemoveAt(index);
                }
            }

            var path = new PathId(random.Next(2, 9));
            switch (random.Next(3))
            {
                case 0:
                    _ = remote.TryAssign(path);
                    break;
                case 1:
                    remote.Release(path);
                    break;
                default:
                    _ = TryRenew(remote, First);
                    break;
            }

            Assert.True(remote.TryGet(First, out ConnectionId carrier));
            Assert.Contains(carrier, routes.Ids);
            foreach (long number in FrameSink.Retired(remote.TryWrite))
            {
                Assert.Equal(QuicError.None, local.OnRetire(new RetireConnectionIdFrame(number), carrier));
            }
        }
    }

    [Fact]
    public void Nothing_a_peer_sends_breaks_the_rules()
    {
        int accepted = 0;
        for (int seed = 0; seed < 2_000; seed++)
        {
            var random = new Random(seed);
            var routes = new FakeRoutes();
            var ids = new RemoteConnectionIds(routes, Limit);
            ids.SetInitial(FakeRoutes.Id(0));
            _ = ids.TryAssign(First);
            QuicError error = QuicError.None;
            for (int i = 0; i < 60 && !error.IsError; i++)
            {
                long number = random.Next(0, 30), id = random.Next(10) > 0 ? number : random.Next(30);
                NewConnectionIdFrame frame = Frame(number, random.Next(4) > 0 ? 0 : random.NextInt64(number + 1));
                error = ids.OnNewConnectionId(frame with { ConnectionId = FakeRoutes.Id(id) });
                _ = random.Next(2) == 0 ? ids.TryAssign(new PathId(random.Next(1, 12))) : TryRenew(ids, new PathId(random.Next(1, 12)));
                ids.Release(new PathId(random.Next(1, 12)));
                if (!error.IsError)
                {
                    accepted++;
                    Assert.InRange(ids.Count, 0, Limit);
                    Assert.InRange(routes.Tokens.Count, 0, Limit);
                }

                _ = random.Next(3) == 0 ? FrameSink.Retired(ids.TryWrite) : [];
            }

            ids.Clear();
            Assert.Empty(routes.Tokens);
        }

        Assert.InRange(accepted, 5_000, 120_000);
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        int number = 0;
        NewConnectionIdFrame[] frames = [.. Enumerable.Range(1, 2_000).Select(i => Frame(i))];
        byte[] buffer = new byte[100];
        var sent = new SentFrameList();
        Allocations.AssertNone(() =>
        {
            _ = _ids.OnNewConnectionId(frames[number++]);
            _ = TryRenew(_ids, First);
            _ = _ids.TryGet(First, out _);
            sent.Clear();
            var writer = new WireWriter(buffer);
            _ = _ids.TryWrite(ref writer, sent);
        });
    }

    // Another id for a path that keeps its own as long as there is no other: one that has the spare id hands it over.
    private static bool TryRenew(RemoteConnectionIds ids, PathId path)
    {
        var other = new PathId(1_000);
        if (!ids.TryAssign(other))
        {
            return false;
        }

        ids.Release(path);
        ids.Hand(other, path);
        ids.Release(other);
        return true;
    }

    private static NewConnectionIdFrame Frame(long number, long retirePriorTo = 0) =>
        new(number, retirePriorTo, FakeRoutes.Id(number), FakeRoutes.Token(number));

    private void Give(long number) => Assert.Equal(QuicError.None, _ids.OnNewConnectionId(Frame(number)));

    private void AssertViolation(NewConnectionIdFrame frame)
    {
        QuicError error = _ids.OnNewConnectionId(frame);
        Assert.Equal((TransportErrorCode.ProtocolViolation, FrameType.NewConnectionId), (error.Code, error.FrameType));
    }

    private long NumberOf(PathId path)
    {
        Assert.True(_ids.TryGet(path, out ConnectionId id));
        return Enumerable.Range(0, 200).First(i => FakeRoutes.Id(i) == id);
    }

    private List<long> Retired() => FrameSink.Retired(_ids.TryWrite);
}
