using System.Text;
using Gimlet.Server.Tests.Support;
using Gimlet.Server.Workers;

namespace Gimlet.Server.Tests.Workers;

public sealed class BoundTests
{
    [Fact]
    public void One_address_has_a_number_of_workers_and_the_server_another()
    {
        var world = new WorkerWorld(o => o with { Limits = new WorkerLimits { Workers = 3, WorkersPerAddress = 2 } });
        WorldWorker first = world.Connect("a", remote: "198.51.100.1:1");
        _ = world.Connect("b", remote: "198.51.100.1:2");
        Assert.Null(world.TryConnect("c", out WorkerRefusal? perAddress, remote: "198.51.100.1:3"));
        Assert.Equal((429, "address-full"), (perAddress!.Status, perAddress.Kind));
        _ = world.Connect("d", remote: "198.51.100.2:1");
        Assert.Null(world.TryConnect("e", out WorkerRefusal? total, remote: "198.51.100.3:1"));
        Assert.Equal((503, "full"), (total!.Status, total.Kind));
        first.Leave();
        _ = world.Connect("e", remote: "198.51.100.3:1");
    }

    [Fact]
    public void IPv6_addresses_of_one_network_count_together()
    {
        var world = new WorkerWorld(o => o with { Limits = new WorkerLimits { WorkersPerAddress = 1 } });
        _ = world.Connect("a", remote: "[2001:db8:1:2::1]:1");
        Assert.Null(world.TryConnect("b", out _, remote: "[2001:db8:1:2:ffff::9]:1"));
        _ = world.Connect("c", remote: "[2001:db8:1:3::1]:1");
    }

    [Fact]
    public void Who_comes_back_before_its_old_connection_is_known_to_be_dead_needs_no_second_place()
    {
        var world = new WorkerWorld(o => o with { Limits = new WorkerLimits { WorkersPerAddress = 1, Workers = 1 } });
        WorldWorker first = world.Connect("a");
        for (int i = 0; i < 5; i++)
        {
            WorldWorker next = world.Connect("a");
            first.ShouldBeClosed(1000, WorkerClose.TakenOver);
            first.Leave();
            first = next;
        }

        Assert.Null(world.TryConnect("b", out _));
        first.Leave();
        _ = world.Connect("b");
    }

    [Fact]
    public void Messages_beyond_the_rate_end_the_connection()
    {
        var world = new WorkerWorld(o => o with { Limits = new WorkerLimits { MessageBurst = 3, MessagesPerSecond = 2 } });
        WorldWorker a = world.Connect("a");
        for (int i = 0; i < 3; i++)
        {
            a.Send("{}");
        }

        world.Advance(1);
        a.Send("{}");
        a.Send("{}");
        Assert.False(a.Connection.IsClosed);
        a.Send("{}");
        a.ShouldBeClosed(1008, "More than 2 messages a second");
        a.Send("{}");
        Assert.Equal(1, a.Output.Closes);
    }

    [Fact]
    public void A_message_beyond_the_size_ends_the_connection()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Send(new string(' ', 16 * 1024));
        Assert.False(a.Connection.IsClosed);
        a.Send(new string(' ', (16 * 1024) + 1));
        a.ShouldBeClosed(1009, "A message has at most 16384 bytes");
    }

    [Fact]
    public void Mistakes_are_logged_a_few_times_and_no_more()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        for (int i = 0; i < 50; i++)
        {
            a.Send($$"""{"type":"unknown\n{{i}}\u202e"}""");
        }

        (int, Microsoft.Extensions.Logging.LogLevel, string Text)[] lines = [.. world.Log.All.Where(l => l.Id == 65)];
        Assert.Equal(8, lines.Length);
        Assert.All(lines, l => Assert.DoesNotContain(l.Text, c => char.IsControl(c) || c == '\u202e'));
        Assert.EndsWith("Further ones are not logged.", lines[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_does_not_read_is_closed_and_the_other_half_is_not()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Ready("a");
        a.Output.Full = true;
        WorldWorker b = world.Ready("b");
        a.ShouldBeClosed(1008, WorkerClose.TooSlow);
        Assert.False(b.Connection.IsClosed);
    }

    [Fact]
    public void Pairings_beyond_the_rate_end_the_connection_and_coming_back_does_not_refill_it()
    {
        var world = new WorkerWorld(o => o with { Limits = new WorkerLimits { PairingsPerMinute = 3, MessageBurst = 1000 } });
        (WorldWorker a, WorldWorker b) = world.Pair();
        for (int i = 0; i < 3; i++)
        {
            a.EndPairing();
        }

        Assert.Equal(3, b.Output.Drain().Length);
        a.EndPairing();
        a.ShouldBeClosed(1008, "More than 3 pairings a minute");
        a.Leave();
        WorldWorker again = world.Connect("a");
        again.Send("""{"type":"update_udp_endpoint","udp_ip":"203.0.113.7","udp_port":1}""");
        again.ShouldBeClosed(1008, "More than 3 pairings a minute");
        b.Output.ShouldSayNothing();
        Assert.Equal("paired", world.StateOf("b"));
        b.EndPairing();
        Assert.Equal("waiting", world.StateOf("b"));
    }

    [Fact]
    public void Coming_back_in_other_groups_is_no_way_around_the_rate_of_pairings()
    {
        var world = new WorkerWorld(o => o with { Limits = new WorkerLimits { PairingsPerMinute = 1, MessageBurst = 1000 } });
        (WorldWorker a, WorldWorker b) = world.Pair();
        a.Leave();
        WorldWorker red = world.Ready("a", "red");
        Assert.Equal("waiting", world.StateOf("b"));
        red.Leave();
        WorldWorker again = world.Ready("a");
        again.ShouldBeOffered("b");
        b.ShouldBeOffered("a");
        again.Leave();

        WorldWorker blue = world.Connect("a", "blue");

        blue.ShouldBeClosed(1008, "More than 1 pairings a minute");
        Assert.Equal("paired", world.StateOf("b"));
        blue.Leave();
        Assert.Equal(("left", "paired"), (world.StateOf("a"), world.StateOf("b")));
        b.EndPairing();
        Assert.Equal("waiting", world.StateOf("b"));
        world.AdvanceAlive(601, b);
        Assert.Equal(0, world.Core.PairedNames);
    }

    [Fact]
    public void Who_left_is_known_for_ten_minutes()
    {
        var world = new WorkerWorld();
        (WorldWorker a, WorldWorker b) = world.Pair();
        a.Leave();
        world.AdvanceAlive(599, b);
        Assert.Equal(("left", "paired"), (world.StateOf("a"), world.StateOf("b")));
        world.AdvanceAlive(1, b);
        Assert.Equal(("waiting", 0), (world.StateOf("b"), world.Core.Counts.Departed));
        Assert.Equal(404, world.Core.Introduce("a", "b")!.Status);
    }

    [Fact]
    public void Of_those_who_left_the_oldest_are_forgotten_first()
    {
        var world = new WorkerWorld(o => o with { Limits = new WorkerLimits { DepartedWorkers = 10 } });
        for (int i = 0; i < 25; i++)
        {
            world.Connect($"w{i:00}", remote: $"198.51.100.{i}:1").Leave();
        }

        Assert.Equal([.. Enumerable.Range(15, 10).Select(i => $"w{i}")], world.Core.Describe().Workers.Select(w => w.Id));
    }

    [Fact]
    public void Who_comes_and_goes_under_many_names_pushes_out_only_its_own()
    {
        var world = new WorkerWorld(o => o with { Limits = new WorkerLimits { WorkersPerAddress = 4 } });
        world.Connect("honest", remote: "198.51.100.1:1").Leave();
        for (int i = 0; i < 100; i++)
        {
            world.Connect($"w{i}", remote: "198.51.100.66:1").Leave();
        }

        Assert.Equal(["honest", "w96", "w97", "w98", "w99"], world.Core.Describe().Workers.Select(w => w.Id));
    }

    [Fact]
    public void Coming_and_going_for_long_leaves_no_trace()
    {
        var world = new WorkerWorld();
        var random = new Random(11);
        var here = new List<WorldWorker>();
        for (int i = 0; i < 5000; i++)
        {
            string id = $"w{random.Next(400)}";
            string? group = random.Next(3) == 0 ? "g" : null;
            if (world.TryConnect(id, out _, group, $"198.51.{random.Next(4)}.{random.Next(4)}:1") is { } worker)
            {
                here.Add(worker);
                worker.Resume($"w{random.Next(800)}");
                worker.Send("""{"type":"update_udp_endpoint","udp_ip":"203.0.113.7","udp_port":1}""");
                if (random.Next(2) == 0)
                {
                    worker.EndPairing();
                }

                _ = world.Core.Introduce($"w{random.Next(400)}", $"w{random.Next(400)}");
            }

            if (here.Count > 50)
            {
                int gone = random.Next(here.Count);
                here[gone].Leave();
                here.RemoveAt(gone);
            }

            CheckTruth(world);
            if (i % 100 == 0)
            {
                world.Advance(1);
            }
        }

        foreach (WorldWorker worker in here)
        {
            worker.Leave();
        }

        world.Advance(601);
        Assert.Equal(new WorkerCounts(0, 0, 0, 0, world.Core.Counts.Offers), world.Core.Counts);
        Assert.Empty(world.Core.Describe().Workers);
        Assert.Equal(0, world.Core.ConnectionCount);
        Assert.Equal(0, world.Core.PairedNames);
    }

    [Fact]
    public void A_silent_worker_is_pinged_at_15_and_30_seconds_and_cut_at_45()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        var pings = new List<int>();
        for (int second = 1; second <= 45; second++)
        {
            int before = a.Output.Pings;
            world.Advance(1);
            if (a.Output.Pings > before)
            {
                pings.Add(second);
            }
        }

        Assert.Equal([15, 30], pings);
        Assert.True(a.Output.IsAborted);
        a.Leave();
        Assert.Equal(0, world.Core.Counts.Connected);
    }

    [Fact]
    public void A_worker_that_answers_pings_stays()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        for (int i = 0; i < 20; i++)
        {
            world.Advance(16);
            a.Connection.Heard(world.Now);
        }

        Assert.Equal((false, 20), (a.Output.IsAborted, a.Output.Pings));
    }

    [Fact]
    public void Everyone_is_told_of_the_shutdown_and_who_comes_then_too()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        world.Core.CloseAll();
        a.ShouldBeClosed(1001, "server shutting down");
        world.Connect("b").ShouldBeClosed(1001, "server shutting down");
    }

    [Fact]
    public void Nothing_that_a_worker_can_send_throws()
    {
        var world = new WorkerWorld(o => o with { Limits = new WorkerLimits { MessageBurst = int.MaxValue, PairingsPerMinute = int.MaxValue } });
        WorldWorker a = world.Connect("a");
        string[] seeds =
        [
            """{"type":"register_public_ip","ip":"203.0.113.7"}""",
            """{"type":"update_udp_endpoint","udp_ip":"203.0.113.7","udp_port":41002}""",
            """{"type":"echo_request","payload":{"a":[1,"\u00e9",null,{"b":-1.5e3}]}}""",
            """{"type":"prove_peer_id","public_key":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE","signature":"AAAA"}""",
            """{"type":"resume_pairing","peer_worker_id":"b"}""",
            """{"type":"end_pairing"}""",
        ];
        var random = new Random(23);
        for (int i = 0; i < 30_000; i++)
        {
            byte[] frame = Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)]);
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                frame[random.Next(frame.Length)] = (byte)random.Next(256);
            }

            world.Core.Handle(a.Connection, frame.AsSpan(0, random.Next(8) == 0 ? random.Next(frame.Length) : frame.Length), world.Now);
            a.Output.Drain();
        }

        Assert.False(a.Connection.IsClosed);
    }

    // What must hold at every moment: nobody waits who is paired or gone, and at most one waits per group.
    private static void CheckTruth(WorkerWorld world)
    {
        (WorkerCounts counts, List<WorkerView> workers) = world.Core.Describe();
        Assert.Equal(counts.Waiting, workers.Count(w => w.State == "waiting"));
        Assert.Equal(counts.Connected, workers.Count(w => w.IsConnected));
        Assert.All(workers.Where(w => w.State == "waiting"), w => Assert.True(w.IsConnected && w.Partner is null && !w.Endpoint.IsEmpty));
        Assert.All(workers.Where(w => w.State == "waiting").GroupBy(w => w.Group), g => Assert.Single(g));
        Assert.All(workers.Where(w => w.State == "connected"), w => Assert.True(w.Endpoint.IsEmpty));
    }
}
