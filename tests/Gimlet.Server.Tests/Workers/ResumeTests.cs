using Gimlet.Server.Tests.Support;

namespace Gimlet.Server.Tests.Workers;

/// <summary>After a restart of the rendezvous: it knows nobody, and is told who is connected to whom.</summary>
public sealed class ResumeTests
{
    [Fact]
    public void Two_that_were_connected_come_back_as_paired_and_are_not_offered_again()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Resume("b");
        a.Report("203.0.113.7:1");
        WorldWorker stranger = world.Ready("stranger");
        WorldWorker b = world.Connect("b");
        b.Resume("a");
        b.Report("203.0.113.7:2");
        a.Output.ShouldSayNothing();
        b.Output.ShouldSayNothing();
        stranger.Output.ShouldSayNothing();
        Assert.Equal(("paired", "paired", "waiting"), (world.StateOf("a"), world.StateOf("b"), world.StateOf("stranger")));
    }

    [Fact]
    public void The_word_of_one_counts_for_both_when_the_other_comes_later()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Resume("b");
        a.Report("203.0.113.7:1");
        WorldWorker b = world.Ready("b");
        b.Output.ShouldSayNothing();
        Assert.Equal(("paired", "a"), (world.StateOf("b"), world.View("b").Partner));
    }

    [Fact]
    public void The_word_of_one_takes_nobody_away_who_waits()
    {
        var world = new WorkerWorld();
        WorldWorker b = world.Ready("b");
        WorldWorker a = world.Connect("a");
        a.Resume("b");
        a.Report("203.0.113.7:1");
        Assert.Equal(("paired", "waiting"), (world.StateOf("a"), world.StateOf("b")));
        world.Ready("c").ShouldBeOffered("b");
        b.ShouldBeOffered("c");

        // The claim ends without a trace.
        a.EndPairing();
        a.Output.ShouldSayNothing();
        Assert.Equal(("waiting", "c"), (world.StateOf("a"), world.View("b").Partner));
    }

    [Fact]
    public void Who_waits_and_confirms_is_paired_and_either_ends_it()
    {
        var world = new WorkerWorld();
        WorldWorker b = world.Ready("b", udp: "203.0.113.7:2");
        WorldWorker a = world.Connect("a");
        a.Resume("b");
        a.Report("203.0.113.7:1");
        b.Resume("a");
        Assert.Equal(("b", "a", 0), (world.View("a").Partner, world.View("b").Partner, world.Core.Counts.Waiting));
        a.Resume("b");
        a.EndPairing();
        b.ShouldBeOffered("a", "203.0.113.7:1");
        a.ShouldBeOffered("b", "203.0.113.7:2");
    }

    [Fact]
    public void Who_waits_and_is_offered_somebody_while_it_is_connected_says_so_and_that_one_waits()
    {
        var world = new WorkerWorld();
        WorldWorker b = world.Ready("b");
        WorldWorker a = world.Connect("a");
        a.Resume("b");
        WorldWorker c = world.Ready("c");
        c.ShouldBeOffered("b");
        b.Resume("a");
        Assert.Equal(("b", "a", "waiting"), (world.View("a").Partner, world.View("b").Partner, world.StateOf("c")));
        a.EndPairing();
        Assert.Equal(("connected", "c"), (world.StateOf("a"), world.View("b").Partner));
        c.ShouldBeOffered("b");
    }

    [Fact]
    public void Either_ends_it_and_both_wait_again()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Resume("b");
        a.Report("203.0.113.7:1");
        WorldWorker b = world.Ready("b", udp: "203.0.113.7:2");
        b.EndPairing();
        a.ShouldBeOffered("b", "203.0.113.7:2");
        b.ShouldBeOffered("a", "203.0.113.7:1");
    }

    [Fact]
    public void Nobody_takes_another_ones_partner_by_claiming_it()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        WorldWorker thief = world.Connect("thief");
        thief.Resume("a");
        thief.Report("203.0.113.66:6");
        Assert.Equal(("b", "a", "a"), (world.View("a").Partner, world.View("b").Partner, world.View("thief").Partner));

        // The claim ends without a trace.
        thief.EndPairing();
        Assert.Equal(("b", "a", "waiting"), (world.View("a").Partner, world.View("b").Partner, world.StateOf("thief")));
        a.Output.ShouldSayNothing();
        b.Output.ShouldSayNothing();
    }

    [Fact]
    public void A_claim_does_not_reach_into_another_group()
    {
        var world = new WorkerWorld();
        WorldWorker red = world.Ready("red", "red");
        WorldWorker a = world.Connect("a");
        a.Resume("red");
        a.Report("203.0.113.7:1");
        Assert.Equal(("waiting", "paired"), (world.StateOf("red"), world.StateOf("a")));
        world.Ready("red-2", "red").ShouldBeOffered("red");
        red.ShouldBeOffered("red-2");
    }

    [Fact]
    public void Who_comes_in_another_group_than_its_claimed_half_is_free_and_the_claim_stays_its_makers()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Resume("b");
        a.Report("203.0.113.7:1");
        WorldWorker b = world.Ready("b", "red");
        Assert.Equal(("paired", "waiting"), (world.StateOf("a"), world.StateOf("b")));
        b.Leave();
        a.EndPairing();
        Assert.Equal("waiting", world.StateOf("a"));
    }

    [Fact]
    public void Who_resumes_with_another_one_than_it_was_paired_with_leaves_that_one_waiting()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        a.Resume("elsewhere");
        Assert.Equal(("elsewhere", "waiting"), (world.View("a").Partner, world.StateOf("b")));
        world.Ready("c").ShouldBeOffered("b");
        b.ShouldBeOffered("c");
        a.Output.ShouldSayNothing();
    }

    [Fact]
    public void Who_is_left_by_a_resume_meets_who_waits_and_a_named_one_that_is_connected_says_so()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        WorldWorker c = world.Ready("c");
        a.Resume("c");
        b.ShouldBeOffered("c");
        c.ShouldBeOffered("b");
        c.Resume("a");
        Assert.Equal(("c", "waiting", "a"), (world.View("a").Partner, world.StateOf("b"), world.View("c").Partner));
        b.Output.ShouldSayNothing();
        c.Output.ShouldSayNothing();
    }

    [Fact]
    public void Resuming_twice_is_once()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        a.Resume("b");
        b.Resume("a");
        a.Resume("b");
        Assert.Equal(("b", "a"), (world.View("a").Partner, world.View("b").Partner));
        a.EndPairing();
        a.ShouldBeOffered("b");
        b.ShouldBeOffered("a");
    }

    [Theory]
    [InlineData("""{"type":"resume_pairing"}""")]
    [InlineData("""{"type":"resume_pairing","peer_worker_id":null}""")]
    [InlineData("""{"type":"resume_pairing","peer_worker_id":""}""")]
    [InlineData("""{"type":"resume_pairing","peer_worker_id":"a"}""")]
    [InlineData("""{"type":"resume_pairing","peer_worker_id":"two words"}""")]
    [InlineData("""{"type":"resume_pairing","peer_worker_id":["b"]}""")]
    public void A_partner_that_is_no_name_or_the_worker_itself_is_ignored(string message)
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Ready("a");
        a.Send(message);
        a.Output.ShouldSayNothing();
        Assert.Equal("waiting", world.StateOf("a"));
    }

    [Fact]
    public void A_claim_ends_with_the_record_of_its_maker()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Resume("b");
        WorldWorker b = world.Ready("b");
        a.Leave();
        world.AdvanceAlive(599, b);
        Assert.Equal("paired", world.StateOf("b"));
        world.AdvanceAlive(2, b);
        Assert.Equal("waiting", world.StateOf("b"));
        Assert.DoesNotContain(world.Core.Describe().Workers, w => w.Id == "a");
    }
}
