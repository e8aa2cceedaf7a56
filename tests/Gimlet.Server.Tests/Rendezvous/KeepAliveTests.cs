using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Rendezvous;

public sealed class KeepAliveTests
{
    [Fact]
    public void A_silent_node_is_pinged_twice_and_then_dropped()
    {
        var world = new World();
        WorldNode node = world.Register();
        world.Advance(14);
        node.Output.Nothing();
        world.Advance(1);
        _ = node.Output.Next<PingMessage>();
        world.Advance(14);
        node.Output.Nothing();
        world.Advance(1);
        _ = node.Output.Next<PingMessage>();
        world.Advance(9);
        node.Output.Nothing();
        world.Advance(1);
        node.ShouldBeRefused(ErrorCode.KeepAliveTimeout, 1008);
        Assert.Equal(0, world.Core.NodeCount);
    }

    [Fact]
    public void A_node_that_answers_pings_stays()
    {
        var world = new World();
        WorldNode node = world.Register();
        for (int i = 0; i < 20; i++)
        {
            world.Advance(15);
            node.Send(new PongMessage { Id = node.Output.Next<PingMessage>().Id });
        }

        Assert.False(node.Session.IsClosed);
    }

    [Fact]
    public void A_node_that_pings_by_itself_is_answered_and_never_pinged()
    {
        var world = new World();
        WorldNode node = world.Register();
        for (int i = 0; i < 20; i++)
        {
            world.Advance(10);
            node.Send(new PingMessage { Id = i });
            Assert.Equal(i, node.Output.Next<PongMessage>().Id);
        }

        node.Output.Nothing();
    }

    [Fact]
    public void The_calls_of_a_node_that_fell_silent_end_with_it()
    {
        var world = new World(o => o with { Timers = o.Timers with { AcceptTimeout = TimeSpan.FromMinutes(5), CallLifetime = TimeSpan.FromMinutes(10) } });
        WorldNode a = world.Register();
        WorldNode b = world.Register(accept: AcceptMode.OnAccept);
        world.AdvanceAlive(39, a);
        string call = a.Call(b);
        _ = a.Output.Drain();
        world.Advance(1);
        a.ShouldBeRejected(call, RejectReason.Offline);
    }
}
