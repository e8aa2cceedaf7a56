using Gimlet.Server.Rendezvous;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Rendezvous;

public sealed class LimitTests
{
    [Fact]
    public void A_message_beyond_the_limit_ends_the_session()
    {
        var world = new World();
        WorldNode node = world.Register();
        node.SendRaw(Padded(16 * 1024));
        node.Output.Nothing();
        node.SendRaw(Padded((16 * 1024) + 1));
        node.ShouldBeRefused(ErrorCode.MessageTooLarge, 1009);
    }

    [Fact]
    public void More_messages_than_the_rate_end_the_session_and_no_other()
    {
        var world = new World();
        WorldNode noisy = world.Register();
        WorldNode other = world.Register();
        for (int i = 0; i < 99; i++)
        {
            noisy.Send(new PongMessage { Id = i });
        }

        noisy.Output.Nothing();
        noisy.Send(new PongMessage());
        noisy.ShouldBeRefused(ErrorCode.RateLimited, 1008);
        Assert.False(other.Session.IsClosed);
    }

    [Fact]
    public void The_sustained_rate_can_be_kept_up_for_ever()
    {
        var world = new World();
        WorldNode node = world.Register();
        for (int second = 0; second < 60; second++)
        {
            for (int i = 0; i < 20; i++)
            {
                node.Send(new PongMessage());
            }

            world.Advance(1);
        }

        Assert.False(node.Session.IsClosed);
    }

    [Fact]
    public void Frames_that_cannot_be_read_count_like_all_others()
    {
        var world = new World(o => o with { Limits = o.Limits with { MessageBurst = 5, MessagesPerSecond = 1 } });
        WorldNode node = world.Register();
        for (int i = 0; i < 4; i++)
        {
            node.SendRaw("{"u8);
            Assert.Equal(ErrorCode.BadMessage, node.Output.Next<ErrorMessage>().Code);
        }

        node.SendRaw("{"u8);
        node.ShouldBeRefused(ErrorCode.RateLimited, 1008);
    }

    [Fact]
    public void Calls_beyond_a_callers_rate_are_rejected_and_come_back_with_time()
    {
        var world = new World(o => o with { Limits = o.Limits with { CallsPerMinute = 3 } });
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        for (int i = 0; i < 3; i++)
        {
            _ = a.Call(b);
            _ = a.Output.Next<IntroduceMessage>();
        }

        string call = a.Call(b);
        a.ShouldBeRejected(call, RejectReason.RateLimited);
        Assert.False(a.Session.IsClosed);
        Assert.Equal(3, b.Output.Drain().Length);
        world.AdvanceAlive(20, a, b);
        _ = a.Output.Drain();
        call = a.Call(b);
        Assert.Equal(call, a.Output.Next<IntroduceMessage>().Call);
    }

    [Fact]
    public void Calls_beyond_a_callees_rate_are_rejected_whoever_makes_them()
    {
        var world = new World(o => o with { Limits = o.Limits with { IncomingCallsPerMinute = 2 } });
        WorldNode callee = world.Register();
        WorldNode[] callers = [world.Register(), world.Register(), world.Register()];
        _ = callers[0].Call(callee);
        _ = callers[1].Call(callee);
        string call = callers[2].Call(callee);
        callers[2].ShouldBeRejected(call, RejectReason.RateLimited);
        Assert.Equal(2, callee.Output.Drain().Length);
    }

    [Fact]
    public void A_callee_with_too_many_undecided_calls_is_busy_until_it_answers_one()
    {
        var world = new World(o => o with { Limits = o.Limits with { WaitingCallsPerNode = 2 } });
        WorldNode a = world.Register();
        WorldNode b = world.Register(accept: AcceptMode.OnAccept);
        string first = a.Call(b);
        _ = a.Call(b);
        string third = a.Call(b);
        a.ShouldBeRejected(third, RejectReason.Busy);
        b.Send(new RejectMessage { Call = first, Reason = RejectReason.Refused, Detail = "no" });
        a.ShouldBeRejected(first, RejectReason.Refused);
        _ = a.Call(b);
        a.Output.Nothing();
        Assert.Equal(3, b.Output.Drain().Length);
    }

    [Fact]
    public void Nodes_per_address_are_limited_by_IPv4_address_and_IPv6_64()
    {
        var world = new World(o => o with { Limits = o.Limits with { NodesPerAddress = 1 } });
        _ = world.Register("198.51.100.7:1");
        WorldNode second = world.Connect("198.51.100.7:2");
        second.Register();
        second.ShouldBeRefused(ErrorCode.TooManyFromAddress, 1013);
        _ = world.Register("198.51.100.8:1");

        WorldNode six = world.Register("[2001:db8:1:2:3::1]:1");
        WorldNode neighbour = world.Connect("[2001:db8:1:2:4::1]:1");
        neighbour.Register();
        neighbour.ShouldBeRefused(ErrorCode.TooManyFromAddress, 1013);
        _ = world.Register("[2001:db8:1:3:3::1]:1");

        // The same node may come back though its place is taken, by itself; and a place that became free can be taken.
        WorldNode back = world.Register("[2001:db8:1:2:3::2]:1", node: six.Node);
        back.Disconnect();
        _ = world.Register("[2001:db8:1:2:4::1]:1");
    }

    [Fact]
    public void Nodes_in_all_are_limited()
    {
        var world = new World(o => o with { Limits = o.Limits with { TotalNodes = 2 } });
        WorldNode a = world.Register("198.51.100.1:1");
        _ = world.Register("198.51.100.2:1");
        WorldNode third = world.Connect("198.51.100.3:1");
        third.Register();
        third.ShouldBeRefused(ErrorCode.TooManyNodes, 1013);
        third.Disconnect();
        _ = world.Register("198.51.100.1:9", node: a.Node);
        Assert.Equal(2, world.Core.NodeCount);
    }

    [Fact]
    public void Connections_that_have_not_registered_are_limited_per_address_and_in_all()
    {
        var world = new World(o => o with { Limits = o.Limits with { UnregisteredPerAddress = 2, TotalUnregistered = 3 } });
        WorldNode first = world.Connect("198.51.100.1:1");
        WorldNode second = world.Connect("198.51.100.1:2");
        WorldNode third = world.Connect("198.51.100.1:3");
        third.ShouldBeRefused(ErrorCode.TooManyFromAddress, 1013);
        third.Disconnect();
        second.Register();
        _ = world.Connect("198.51.100.1:4");
        _ = world.Connect("198.51.100.2:4");
        WorldNode fourth = world.Connect("198.51.100.3:4");
        fourth.ShouldBeRefused(ErrorCode.TooManyNodes, 1013);
        first.Disconnect();
        WorldNode fifth = world.Connect("198.51.100.3:5");
        _ = fifth.Output.Next<ChallengeMessage>();
    }

    [Fact]
    public void A_timed_out_connection_gives_its_place_back_at_once_and_once()
    {
        var world = new World(o => o with { Limits = o.Limits with { UnregisteredPerAddress = 1 } });
        WorldNode first = world.Connect();
        world.Advance(10);
        Assert.True(first.Session.IsClosed);
        WorldNode second = world.Connect();
        Assert.False(second.Session.IsClosed);
        first.Disconnect();
        WorldNode third = world.Connect();
        third.ShouldBeRefused(ErrorCode.TooManyFromAddress, 1013);
    }

    [Fact]
    public void Limits_and_timers_that_make_no_sense_are_named()
    {
        Assert.Null(new RendezvousLimits().FindProblem());
        Assert.Null(new RendezvousTimers().FindProblem());
        Assert.Contains("MessagesPerSecond is 0", new RendezvousLimits { MessagesPerSecond = 0 }.FindProblem(), StringComparison.Ordinal);
        Assert.Contains("MessageBytes is 20000", new RendezvousLimits { MessageBytes = 20_000 }.FindProblem(), StringComparison.Ordinal);
        Assert.Contains("PingAfter", new RendezvousTimers { PingAfter = TimeSpan.Zero }.FindProblem(), StringComparison.Ordinal);
        Assert.Contains("DropAfter", new RendezvousTimers { DropAfter = TimeSpan.FromSeconds(15) }.FindProblem(), StringComparison.Ordinal);
    }

    private static byte[] Padded(int length)
    {
        byte[] frame = new byte[length];
        frame.AsSpan().Fill((byte)' ');
        """{"type":"pong","id":1}"""u8.CopyTo(frame);
        return frame;
    }
}
