using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Rendezvous;

public sealed class TrickleTests
{
    [Fact]
    public void Late_candidates_go_to_the_other_side_of_the_call_in_both_directions()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        string call = Introduced(a, b);
        a.Send(new CandidatesMessage { Call = call, Candidates = TestNode.Host("10.0.0.1:1") });
        CandidatesMessage toB = b.Output.Next<CandidatesMessage>();
        Assert.Equal((call, "10.0.0.1:1"), (toB.Call, Assert.Single(toB.Candidates!).Address));
        b.Send(new CandidatesMessage { Call = call.ToUpperInvariant(), Candidates = TestNode.Host("10.0.0.2:2") });
        Assert.Equal("10.0.0.2:2", Assert.Single(a.Output.Next<CandidatesMessage>().Candidates!).Address);
        a.Output.Nothing();
        b.Output.Nothing();
    }

    [Fact]
    public void A_stranger_cannot_put_candidates_into_a_call()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        WorldNode stranger = world.Register();
        string call = Introduced(a, b);
        stranger.Send(new CandidatesMessage { Call = call, Candidates = TestNode.Host("10.0.0.1:1") });
        a.Output.Nothing();
        b.Output.Nothing();
        stranger.Output.Nothing();
    }

    [Fact]
    public void While_the_callee_decides_it_gets_the_callers_candidates_and_the_caller_gets_none_of_its()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register(accept: AcceptMode.OnAccept);
        string call = a.Call(b);
        _ = b.Output.Next<IncomingMessage>();
        a.Send(new CandidatesMessage { Call = call, Candidates = TestNode.Host("10.0.0.1:1") });
        _ = b.Output.Next<CandidatesMessage>();
        b.Send(new CandidatesMessage { Call = call, Candidates = TestNode.Host("10.0.0.2:2") });
        a.Output.Nothing();
    }

    [Fact]
    public void After_a_reject_nothing_is_forwarded()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        string call = Introduced(a, b);
        b.Send(new RejectMessage { Call = call, Reason = RejectReason.Refused });
        a.ShouldBeRejected(call, RejectReason.Refused);
        a.Send(new CandidatesMessage { Call = call, Candidates = TestNode.Host("10.0.0.1:1") });
        b.Output.Nothing();
    }

    [Fact]
    public void One_side_of_a_call_trickles_64_candidates_at_most()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        string call = Introduced(a, b);
        int forwarded = 0;
        for (int round = 0; round < 10; round++)
        {
            a.Send(new CandidatesMessage { Call = call, Candidates = TestNode.Host([.. Enumerable.Range(1, 10).Select(i => $"10.0.{round}.{i}:5")]) });
            forwarded += b.Output.Drain().Sum(m => Assert.IsType<CandidatesMessage>(m).Candidates!.Length);
        }

        Assert.Equal(64, forwarded);

        // The other side has its own share.
        b.Send(new CandidatesMessage { Call = call, Candidates = TestNode.Host("10.9.9.9:9") });
        _ = a.Output.Next<CandidatesMessage>();
    }

    [Fact]
    public void Trickled_candidates_are_filtered_and_marked_and_an_empty_rest_is_not_sent()
    {
        var world = new World();
        WorldNode a = world.Register("198.51.100.1:1000");
        WorldNode b = world.Register("198.51.100.2:1000");
        string call = Introduced(a, b);
        a.Send(new CandidatesMessage { Call = call, Candidates = TestNode.Host("127.0.0.1:1", "8.8.8.8:53") });
        CandidateDescription told = Assert.Single(b.Output.Next<CandidatesMessage>().Candidates!);
        Assert.Equal(("8.8.8.8:53", true), (told.Address, told.Unverified));
        a.Send(new CandidatesMessage { Call = call, Candidates = TestNode.Host("127.0.0.1:1") });
        a.Send(new CandidatesMessage { Call = call });
        b.Output.Nothing();
    }

    private static string Introduced(WorldNode a, WorldNode b)
    {
        string call = a.Call(b);
        _ = a.Output.Next<IntroduceMessage>();
        _ = b.Output.Next<IncomingMessage>();
        return call;
    }
}
