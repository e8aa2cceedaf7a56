using Gimlet.Server.Tests.Support;
using Gimlet.Server.Workers;

namespace Gimlet.Server.Tests.Workers;

public sealed class PairingTests
{
    [Fact]
    public void Two_workers_with_endpoints_are_offered_to_each_other_at_once()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Ready("a", udp: "203.0.113.7:41002");
        a.Output.ShouldSayNothing();
        Assert.Equal("waiting", world.StateOf("a"));

        WorldWorker b = world.Ready("b", udp: "[2001:db8::1]:5");

        a.ShouldBeOffered("b", "[2001:db8::1]:5");
        b.ShouldBeOffered("a", "203.0.113.7:41002");
        Assert.Equal(("paired", "paired"), (world.StateOf("a"), world.StateOf("b")));
        Assert.Equal(new WorkerCounts(2, 0, 2, 0, 1), world.Core.Counts);
    }

    [Fact]
    public void A_worker_without_an_endpoint_waits_for_nobody()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        WorldWorker b = world.Ready("b");
        a.Output.ShouldSayNothing();
        b.Output.ShouldSayNothing();
        Assert.Equal("connected", world.StateOf("a"));
    }

    [Fact]
    public void Who_left_is_offered_to_nobody()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Ready("a");
        a.Leave();
        WorldWorker b = world.Ready("b");
        b.Output.ShouldSayNothing();
        Assert.Equal(("left", "waiting"), (world.StateOf("a"), world.StateOf("b")));
    }

    [Fact]
    public void Who_is_being_closed_is_offered_to_nobody()
    {
        var world = new WorkerWorld(o => o with { Limits = new WorkerLimits { MessageBurst = 2, MessagesPerSecond = 1 } });
        WorldWorker a = world.Ready("a");
        a.Send("{}");
        a.Send("{}");
        a.ShouldBeClosed(1008, "More than 1 messages a second");
        WorldWorker b = world.Ready("b");
        b.Output.ShouldSayNothing();
        Assert.Equal("Worker a is not connected", world.Core.Introduce("b", "a")!.Detail);
        WorldWorker c = world.Ready("c");
        c.ShouldBeOffered("b");
    }

    [Fact]
    public void A_third_worker_waits_and_meets_the_fourth()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        WorldWorker c = world.Ready("c");
        WorldWorker d = world.Ready("d");
        c.ShouldBeOffered("d");
        d.ShouldBeOffered("c");
        a.Output.ShouldSayNothing();
        b.Output.ShouldSayNothing();
    }

    [Fact]
    public void A_new_endpoint_of_a_paired_worker_is_stored_and_offered_to_nobody()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        a.Report("203.0.113.7:6");
        a.Output.ShouldSayNothing();
        b.Output.ShouldSayNothing();
        b.EndPairing();
        a.ShouldBeOffered("b");
        b.ShouldBeOffered("a", "203.0.113.7:6");
    }

    [Fact]
    public void A_new_endpoint_of_a_waiting_worker_is_the_one_that_is_offered()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Ready("a");
        a.Report("203.0.113.9:6");
        WorldWorker b = world.Ready("b");
        b.ShouldBeOffered("a", "203.0.113.9:6");
    }

    [Fact]
    public void An_endpoint_that_is_none_leaves_the_one_before()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Ready("a");
        a.Send("""{"type":"update_udp_endpoint","udp_ip":"203.0.113.7","udp_port":0}""");
        a.Output.ShouldSay("""{"type":"udp_endpoint_ack","status":"error","detail":"Invalid UDP Port: '0'"}""");
        world.Ready("b").ShouldBeOffered("a");
    }

    [Fact]
    public void Who_ends_a_pairing_meets_whoever_waits_and_the_other_half_waits()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        WorldWorker c = world.Ready("c");
        a.EndPairing();
        a.ShouldBeOffered("c");
        c.ShouldBeOffered("a");
        b.Output.ShouldSayNothing();
        Assert.Equal("waiting", world.StateOf("b"));
    }

    [Fact]
    public void Ending_what_is_not_there_is_nothing()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Ready("a");
        a.EndPairing();
        WorldWorker b = world.Ready("b");
        a.ShouldBeOffered("b");
        b.ShouldBeOffered("a");
        a.Output.ShouldSayNothing();
    }

    [Fact]
    public void Members_of_a_group_meet_each_other_only()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Ready("a");
        WorldWorker red = world.Ready("red-1", "red");
        WorldWorker blue = world.Ready("blue-1", "blue");
        WorldWorker red2 = world.Ready("red-2", "red");
        red.ShouldBeOffered("red-2");
        red2.ShouldBeOffered("red-1");
        a.Output.ShouldSayNothing();
        blue.Output.ShouldSayNothing();
        Assert.Equal(2, world.Core.Counts.Waiting);
    }

    [Fact]
    public void By_group_who_has_none_waits_for_nobody()
    {
        var world = new WorkerWorld(o => o with { Pairing = WorkerPairing.ByGroup });
        WorldWorker a = world.Ready("a");
        WorldWorker b = world.Ready("b");
        WorldWorker red = world.Ready("red-1", "red");
        world.Ready("red-2", "red").ShouldBeOffered("red-1");
        red.ShouldBeOffered("red-2");
        a.Output.ShouldSayNothing();
        b.Output.ShouldSayNothing();
    }

    [Fact]
    public void By_hand_only_nobody_is_offered_until_somebody_says_so()
    {
        var world = new WorkerWorld(o => o with { Pairing = WorkerPairing.Manual });
        WorldWorker a = world.Ready("a");
        WorldWorker b = world.Ready("b");
        a.Output.ShouldSayNothing();
        Assert.Null(world.Core.Introduce("a", "b"));
        a.ShouldBeOffered("b");
        b.ShouldBeOffered("a");
        Assert.Equal("paired", world.StateOf("a"));
    }

    [Fact]
    public void A_policy_of_the_application_names_the_meeting_point_and_groups_stay_closed()
    {
        var world = new WorkerWorld(o => o with { Pairing = new ByFirstLetter() });
        WorldWorker x1 = world.Ready("x1");
        WorldWorker y1 = world.Ready("y1");
        WorldWorker grouped = world.Ready("x3", "g");
        WorldWorker x2 = world.Ready("x2");
        x1.ShouldBeOffered("x2");
        x2.ShouldBeOffered("x1");
        y1.Output.ShouldSayNothing();
        grouped.Output.ShouldSayNothing();
    }

    [Theory]
    [InlineData("a", "nobody", 404, "Worker nobody is not known")]
    [InlineData("nobody", "a", 404, "Worker nobody is not known")]
    [InlineData("a", "a", 400, "Worker a cannot be connected to itself")]
    [InlineData("a", "gone", 400, "Worker gone is not connected")]
    [InlineData("gone", "a", 400, "Worker gone is not connected")]
    [InlineData("a", "silent", 400, "Worker silent has not reported a UDP endpoint")]
    [InlineData("a", "grouped", 400, "Workers a and grouped are not in the same group")]
    public void By_hand_what_cannot_be_is_refused_with_the_reason(string one, string other, int status, string detail)
    {
        var world = new WorkerWorld(o => o with { Pairing = WorkerPairing.Manual });
        _ = world.Ready("a");
        _ = world.Connect("silent");
        _ = world.Ready("grouped", "g");
        world.Ready("gone").Leave();
        WorkerRefusal refusal = Assert.IsType<WorkerRefusal>(world.Core.Introduce(one, other));
        Assert.Equal((status, detail), (refusal.Status, refusal.Detail));
    }

    [Fact]
    public void By_hand_a_pairing_is_taken_apart_and_the_one_that_is_left_waits_again()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        WorldWorker c = world.Ready("c");
        Assert.Null(world.Core.Introduce("a", "c"));
        a.ShouldBeOffered("c");
        c.ShouldBeOffered("a");
        b.Output.ShouldSayNothing();
        Assert.Equal(("paired", "waiting", "paired"), (world.StateOf("a"), world.StateOf("b"), world.StateOf("c")));
        world.Ready("d").ShouldBeOffered("b");
    }

    [Fact]
    public void By_hand_a_pair_is_offered_once_more()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        Assert.Null(world.Core.Introduce("b", "a"));
        a.ShouldBeOffered("b");
        b.ShouldBeOffered("a");
        a.Output.ShouldSayNothing();
    }

    [Fact]
    public void By_hand_two_pairs_become_one_and_the_halves_that_are_left_meet()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair("a", "b");
        (WorldWorker c, WorldWorker d) = world.Pair("c", "d");
        Assert.Null(world.Core.Introduce("a", "c"));
        a.ShouldBeOffered("c");
        c.ShouldBeOffered("a");
        b.ShouldBeOffered("d");
        d.ShouldBeOffered("b");
    }

    [Fact]
    public void A_policy_that_throws_leaves_no_connection_behind()
    {
        var policy = new Throwing();
        var world = new WorkerWorld(o => o with { Pairing = policy, Limits = new WorkerLimits { DepartedWorkers = 1 } });
        (WorldWorker a, _) = world.Pair();
        WorldWorker c = world.Connect("c");
        a.Leave();
        policy.Throws = true;

        // The record of a is forgotten for that of c, and its other half would wait again.
        _ = Assert.Throws<NotSupportedException>(c.Leave);
        Assert.Equal((1, 1), (world.Core.ConnectionCount, world.Core.Counts.Connected));
    }

    private sealed class Throwing : IWorkerPairing
    {
        public bool Throws { get; set; }

        public string? MeetingPoint(WorkerDescription worker) => Throws ? throw new NotSupportedException() : "";
    }

    private sealed class ByFirstLetter : IWorkerPairing
    {
        public string? MeetingPoint(WorkerDescription worker) => worker.WorkerId[..1];
    }
}
