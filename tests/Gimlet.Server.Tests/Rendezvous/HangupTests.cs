using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Rendezvous;

/// <summary>A caller that has given up: who hears of it, and who may say so.</summary>
public sealed class HangupTests
{
    private readonly World _world = new();

    [Fact]
    public void The_callee_is_told_once_and_the_call_is_over()
    {
        WorldNode a = _world.Register();
        WorldNode b = _world.Register();
        string call = a.Call(b);
        _ = a.Output.Next<IntroduceMessage>();
        _ = b.Output.Next<IncomingMessage>();

        a.Send(new HangupMessage { Call = call });
        Assert.Equal(call, b.Output.Next<HangupMessage>().Call);
        Assert.Equal(0, _world.Core.CallCount);

        // What comes for it later is ignored.
        a.Send(new HangupMessage { Call = call });
        a.Send(new CandidatesMessage { Call = call, Candidates = TestNode.Host("10.0.0.1:1") });
        b.Send(new RejectMessage { Call = call, Reason = RejectReason.Refused });
        a.Output.Nothing();
        b.Output.Nothing();
    }

    [Fact]
    public void Only_the_caller_of_that_call_can_hang_up()
    {
        WorldNode a = _world.Register();
        WorldNode b = _world.Register(accept: AcceptMode.OnAccept);
        WorldNode stranger = _world.Register();
        string call = a.Call(b);
        _ = b.Output.Next<IncomingMessage>();
        foreach (WorldNode other in new[] { stranger, b })
        {
            other.Send(new HangupMessage { Call = call });
        }

        foreach (WorldNode node in new[] { a, b, stranger })
        {
            node.Output.Nothing();
        }

        b.Send(new AcceptMessage { Call = call });
        _ = a.Output.Next<IntroduceMessage>();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("no id")]
    [InlineData("00000000000000000000000000000000")]
    public void What_names_no_call_leaves_nothing_and_costs_what_a_message_costs(string? call)
    {
        var world = new World(static o => o with { Limits = o.Limits with { MessageBurst = 5, MessagesPerSecond = 1 } });
        WorldNode a = world.Register();
        for (int i = 0; i < 4; i++)
        {
            a.Send(new HangupMessage { Call = call });
        }

        a.Output.Nothing();
        Assert.Equal(0, world.Core.CallCount);
        a.Send(new HangupMessage { Call = call });
        a.ShouldBeRefused(ErrorCode.RateLimited, SignalCloseCode.PolicyViolation);
    }

    [Fact]
    public void Who_has_not_registered_is_told_to()
    {
        WorldNode a = _world.Connect();
        _ = a.Output.Next<ChallengeMessage>();
        a.Send(new HangupMessage { Call = new string('0', 32) });
        Assert.Equal(ErrorCode.BadMessage, a.Output.Next<ErrorMessage>().Code);
    }

    [Fact]
    public void A_call_that_waited_for_its_accept_waits_no_longer()
    {
        var world = new World(static o => o with { Limits = o.Limits with { WaitingCallsPerNode = 1 } });
        WorldNode a = world.Register();
        WorldNode b = world.Register(accept: AcceptMode.OnAccept);
        string call = a.Call(b);
        a.ShouldBeRejected(a.Call(b), RejectReason.Busy);
        _ = b.Output.Next<IncomingMessage>();
        a.Send(new HangupMessage { Call = call });
        Assert.Equal(call, b.Output.Next<HangupMessage>().Call);

        // Its accept comes too late, nothing is relayed for it any more, and there is room for another one.
        b.Send(new AcceptMessage { Call = call });
        a.Relay(b, [1]);
        Assert.Null(b.NextRelayed());
        Assert.Equal(RejectReason.NoCall, a.Output.Next<UnreachableMessage>().Reason);
        a.Output.Nothing();
        string next = a.Call(b);
        Assert.Equal(next, b.Output.Next<IncomingMessage>().Call);
        world.Advance(30);
        a.ShouldBeRejected(next, RejectReason.TimedOut);
    }

    [Fact]
    public void A_caller_that_came_back_hangs_up_what_it_called_before_and_a_callee_that_is_away_hears_nothing()
    {
        WorldNode a = _world.Register();
        WorldNode b = _world.Register();
        string call = a.Call(b);
        string other = a.Call(b);
        WorldNode back = _world.Register(node: a.Node);
        b.Output.Drain();
        back.Send(new HangupMessage { Call = call });
        Assert.Equal(call, b.Output.Next<HangupMessage>().Call);

        b.Disconnect();
        back.Send(new HangupMessage { Call = other });
        b.Output.Nothing();
        back.Output.Nothing();
        Assert.Equal(0, _world.Core.CallCount);
    }
}
