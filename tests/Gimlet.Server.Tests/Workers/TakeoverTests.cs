using Gimlet.Server.Tests.Support;
using Gimlet.Server.Workers;

namespace Gimlet.Server.Tests.Workers;

public sealed class TakeoverTests
{
    private const string TakenOver = "New connection from same worker ID";

    [Fact]
    public void A_second_connection_closes_the_first_whose_end_changes_nothing()
    {
        var world = new WorkerWorld();
        WorldWorker first = world.Ready("a");
        WorldWorker second = world.Connect("a", remote: "198.51.100.8:1");
        first.ShouldBeClosed(1000, TakenOver);
        second.Report("203.0.113.8:8");

        first.Leave();

        Assert.Equal("waiting", world.StateOf("a"));
        Assert.Equal(1, world.Core.Counts.Connected);
        world.Ready("b").ShouldBeOffered("a", "203.0.113.8:8");
        second.ShouldBeOffered("b");
    }

    [Fact]
    public void What_the_first_connection_still_says_is_not_heard()
    {
        var world = new WorkerWorld();
        WorldWorker first = world.Connect("a");
        WorldWorker second = world.Connect("a");
        first.Send("""{"type":"update_udp_endpoint","udp_ip":"203.0.113.7","udp_port":1}""");
        first.Send("""{"type":"register_public_ip","ip":"203.0.113.7"}""");
        first.Output.ShouldSayNothing();
        Assert.True(world.View("a").Endpoint.IsEmpty);
        Assert.Null(world.View("a").ReportedIp);
        second.Output.ShouldSayNothing();
    }

    [Fact]
    public void What_the_first_connection_had_reported_is_not_the_seconds()
    {
        var world = new WorkerWorld();
        WorldWorker first = world.Ready("a");
        first.Send("""{"type":"register_public_ip","ip":"203.0.113.7"}""");
        Assert.Equal("203.0.113.7", world.View("a").ReportedIp!.ToString());
        _ = world.Connect("a");
        world.Ready("b").Output.ShouldSayNothing();
        Assert.Null(world.View("a").ReportedIp);
        Assert.True(world.View("a").Endpoint.IsEmpty);
    }

    [Fact]
    public void A_hundred_takeovers_leave_one_worker_whatever_the_order_of_their_ends()
    {
        var world = new WorkerWorld();
        var connections = new List<WorldWorker>();
        for (int i = 0; i < 100; i++)
        {
            connections.Add(world.Ready("a"));
        }

        var random = new Random(7);
        WorldWorker last = connections[^1];
        foreach (WorldWorker old in connections[..^1].OrderBy(_ => random.Next()))
        {
            old.ShouldBeClosed(1000, TakenOver);
            old.Leave();
        }

        Assert.Equal(new WorkerCounts(1, 1, 0, 0, 0), world.Core.Counts);
        Assert.False(last.Connection.IsClosed);
        last.Leave();
        Assert.Equal(new WorkerCounts(0, 0, 0, 1, 0), world.Core.Counts);
    }

    [Fact]
    public async Task Connections_of_one_id_that_race_on_many_threads_leave_one_worker_and_every_place_is_given_back()
    {
        var world = new WorkerWorld(o => o with { Limits = new WorkerLimits { WorkersPerAddress = 16, MessageBurst = 1000 } });
        CancellationToken token = TestContext.Current.CancellationToken;
        await Parallel.ForAsync(0, 8, token, (thread, stop) =>
        {
            for (int i = 0; i < 200; i++)
            {
                if (world.TryConnect($"w{i % 3}", out _) is { } worker)
                {
                    worker.Send("""{"type":"update_udp_endpoint","udp_ip":"203.0.113.7","udp_port":1}""");
                    if ((i + thread) % 2 == 0)
                    {
                        worker.Resume($"w{(i + 1) % 3}");
                    }

                    worker.EndPairing();
                    _ = world.Core.Introduce("w0", "w1");
                    worker.Leave();
                }
            }

            return ValueTask.CompletedTask;
        });

        Assert.Equal((0, 0, 0), (world.Core.ConnectionCount, world.Core.Counts.Connected, world.Core.Counts.Waiting));
        for (int i = 0; i < 16; i++)
        {
            _ = world.Connect($"new-{i}");
        }

        Assert.Null(world.TryConnect("one-too-many", out _));
    }

    [Fact]
    public void Who_is_paired_and_taken_over_stays_paired()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        WorldWorker again = world.Connect("a");
        a.Leave();
        again.Resume("b");
        again.Report("203.0.113.7:1");
        Assert.Equal(("paired", "paired"), (world.StateOf("a"), world.StateOf("b")));
        again.Output.ShouldSayNothing();
        b.Output.ShouldSayNothing();
        world.Ready("c").Output.ShouldSayNothing();
    }

    [Fact]
    public void Who_is_paired_and_leaves_stays_paired_and_its_half_is_not_offered()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        a.Leave();
        world.Ready("c").Output.ShouldSayNothing();
        b.Output.ShouldSayNothing();
        Assert.Equal(("left", "paired", "waiting"), (world.StateOf("a"), world.StateOf("b"), world.StateOf("c")));
    }

    [Fact]
    public void Who_comes_back_as_a_new_process_voids_the_pairing_and_both_are_offered_again()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        a.Leave();
        WorldWorker again = world.Connect("a");
        Assert.Equal(("paired", "paired"), (world.StateOf("a"), world.StateOf("b")));
        again.Report("203.0.113.7:7");
        again.ShouldBeOffered("b");
        b.ShouldBeOffered("a", "203.0.113.7:7");
    }

    [Fact]
    public void Only_the_first_endpoint_after_coming_back_can_void_a_pairing()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        a.Leave();
        WorldWorker again = world.Connect("a");
        again.Resume("b");
        again.Report("203.0.113.7:7");
        again.Report("203.0.113.7:8");
        Assert.Equal("paired", world.StateOf("a"));
        b.Output.ShouldSayNothing();
    }

    [Fact]
    public void Both_come_back_as_new_processes_and_are_offered_again()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        a.Leave();
        b.Leave();
        WorldWorker a2 = world.Ready("a", udp: "203.0.113.7:1");
        a2.Output.ShouldSayNothing();
        Assert.Equal("waiting", world.StateOf("a"));
        WorldWorker b2 = world.Ready("b", udp: "203.0.113.7:2");
        a2.ShouldBeOffered("b", "203.0.113.7:2");
        b2.ShouldBeOffered("a", "203.0.113.7:1");
    }

    [Fact]
    public void Who_comes_back_in_another_group_is_paired_no_more()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        a.Leave();
        WorldWorker again = world.Ready("a", "red");
        again.Output.ShouldSayNothing();
        Assert.Equal(("waiting", "waiting"), (world.StateOf("a"), world.StateOf("b")));
        world.Ready("c").ShouldBeOffered("b");
        b.ShouldBeOffered("c");
    }
}
