using Gimlet.Quic.Connections;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>The simulator itself: what it does to datagrams, and that it does the same again.</summary>
public sealed class NetworkTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_datagram_arrives_after_the_delay_of_its_direction()
    {
        var world = new World();
        world.Network.Ways[0].Up.Delay = TimeSpan.FromMilliseconds(7);
        world.Send(EndpointRole.Client, "up");
        world.Send(EndpointRole.Server, "down");
        Assert.Equal(["00:00:00.0070000 101 up"], world.Run(Second).Server.Arrived);
        Assert.Equal(["00:00:00.0200000 1 down"], world.Client.Arrived);
        Assert.Equal(Second, world.Network.Now);
    }

    [Fact]
    public void A_rate_queues_and_drops_the_tail()
    {
        var world = new World();
        Link link = world.Network.Ways[0].Up;
        link.Delay = TimeSpan.Zero;
        link.BitsPerSecond = 8000;
        link.QueueBytes = 250;
        for (int i = 0; i < 4; i++)
        {
            world.Send(EndpointRole.Client, new string((char)('a' + i), 100));
        }

        // 100 bytes at 1,000 bytes per second; the third would make 300 bytes wait.
        world.Run(Second);
        Assert.Equal(["00:00:00.1000000", "00:00:00.2000000"], world.Server.Arrived.Select(a => a[..16]));
        Assert.Equal(2, link.QueueDrops);
    }

    [Fact]
    public void What_is_larger_than_the_mtu_or_sent_into_the_dark_vanishes()
    {
        var world = new World();
        Link link = world.Network.Ways[0].Up;
        link.Mtu = 5;
        link.DarkUntil = TimeSpan.FromMilliseconds(10);
        world.Send(EndpointRole.Client, "early");
        world.Run(TimeSpan.FromMilliseconds(10));
        world.Send(EndpointRole.Client, "light");
        world.Send(EndpointRole.Client, "larger");
        Assert.Equal(["00:00:00.0300000 101 light"], world.Run(Second).Server.Arrived);
    }

    [Fact]
    public void Order_is_kept_unless_reordering_is_asked_for()
    {
        string[] all = [.. Enumerable.Range(0, 50).Select(i => $"{i:00}")];
        Assert.Equal(all, Arrivals(reordering: 0));
        string[] reordered = Arrivals(reordering: 0.3);
        Assert.NotEqual(all, reordered);
        Assert.Equal(all, reordered.Order());

        string[] Arrivals(double reordering)
        {
            var world = new World();
            world.Network.Ways[0].Up.Reordering = reordering;
            foreach (string text in all)
            {
                world.Send(EndpointRole.Client, text);
                world.Run(TimeSpan.FromMilliseconds(1));
            }

            return [.. world.Run(Second).Server.Arrived.Select(a => a[^2..])];
        }
    }

    [Fact]
    public void Loss_duplicates_and_marks_come_in_the_given_part()
    {
        var world = new World();
        Link link = world.Network.Ways[0].Up;
        link.Loss = 0.2;
        link.Duplicates = 0.5;
        link.Marking = 1;
        for (int i = 0; i < 2000; i++)
        {
            world.Send(EndpointRole.Client, "x");
        }

        // 2,000 times 0.8 times 1.5; the deviation is about 40.
        Assert.InRange(world.Run(Second).Server.Arrived.Count, 2200, 2600);
        Assert.Equal(EcnCodepoint.CongestionExperienced, world.Server.LastEcn);
    }

    [Fact]
    public void Corruption_always_changes_something()
    {
        var random = new Random(5);
        byte[] bytes = new byte[1200];
        random.NextBytes(bytes);
        byte[] before = [.. bytes];
        for (int i = 0; i < 1000; i++)
        {
            Assert.NotEqual(before, Corruption.Of(bytes, random));
        }

        Assert.Equal(before, bytes);
    }

    [Fact]
    public void A_rebound_nat_gives_the_server_another_path_and_the_client_the_same()
    {
        var world = new World();
        world.Send(EndpointRole.Client, "before");
        world.Network.Flush();
        world.Network.Rebind(world.Network.Ways[0]);
        world.Send(EndpointRole.Client, "after");
        world.Send(EndpointRole.Server, "astray", new PathId(101));
        world.Send(EndpointRole.Server, "back", new PathId(102));
        Assert.Equal(["101 before", "102 after"], world.Run(Second).Server.Arrived.Select(a => a[17..]));
        Assert.Equal(["1 back"], world.Client.Arrived.Select(a => a[17..]));
    }

    [Fact]
    public void Intercepts_decide_before_the_link_does()
    {
        var world = new World();
        world.Network.Intercept(d => d.Index switch
        {
            0 => Fate.Lose,
            1 => Fate.Duplicate,
            2 => Fate.Delay(TimeSpan.FromMilliseconds(100)),
            3 => Fate.Replace("other"u8.ToArray()),
            _ => Fate.None,
        });
        foreach (string text in (string[])["zero", "one", "two", "three", "four"])
        {
            world.Send(EndpointRole.Client, text);
        }

        world.Run(Second);
        Assert.Equal(["four", "one", "one", "other", "two"], world.Server.Arrived.Select(a => a[21..]).Order());
        Assert.Equal("00:00:00.1200000 101 two", world.Server.Arrived[^1]);
    }

    [Fact]
    public void Timers_fire_when_they_are_due_and_one_that_is_always_due_is_found_out()
    {
        var world = new World();
        world.Client.Timer = TimeSpan.FromMilliseconds(30);
        world.Run(Second);
        Assert.Equal(1, world.Network.Timeouts[(int)EndpointRole.Client]);

        world.Client.KeepsTimer = true;
        world.Client.Timer = TimeSpan.FromMilliseconds(30);
        SimulationException e = Assert.Throws<SimulationException>(() => world.Run(Second));
        Assert.Contains("stands still", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_seed_gives_the_same_trace()
    {
        ulong[] first = [.. Enumerable.Range(0, 20).Select(Trace)];
        Assert.Equal(first, Enumerable.Range(0, 20).Select(Trace));
        Assert.Equal(first.Length, first.Distinct().Count());

        static ulong Trace(int seed)
        {
            var world = new World(seed);
            world.Network.Ways[0].Both(link => (link.Loss, link.Reordering, link.Duplicates, link.Corruption) = (0.1, 0.1, 0.1, 0.1));
            for (int i = 0; i < 100; i++)
            {
                world.Send(i % 3 == 0 ? EndpointRole.Server : EndpointRole.Client, $"datagram {i}");
                world.Run(TimeSpan.FromMilliseconds(1));
            }

            return world.Run(Second).Network.Trace.Hash;
        }
    }

    [Fact]
    public void A_failing_seed_tells_how_to_see_it_again()
    {
        SimulationException e = Assert.Throws<SimulationException>(() => Seeds.Run(5, seed => Assert.NotEqual(3, seed)));
        Assert.Contains("GIMLET_QUIC_SIM_SEED=3 dotnet run", e.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(A_failing_seed_tells_how_to_see_it_again), e.Message, StringComparison.Ordinal);
    }

    private sealed class World
    {
        public World(int seed = 1) => Network = new Network(seed, Client, Server);

        public Node Client { get; } = new(new PathId(1));

        public Node Server { get; } = new(new PathId(101));

        public Network Network { get; }

        public void Send(EndpointRole from, string text, PathId? path = null)
        {
            Node node = from == EndpointRole.Client ? Client : Server;
            node.Output.Enqueue((path ?? node.Path, System.Text.Encoding.UTF8.GetBytes(text)));
        }

        public World Run(TimeSpan duration)
        {
            TimeSpan until = Network.Now + duration;
            Network.Flush();
            while (Network.Step(until))
            {
            }

            return this;
        }
    }

    private sealed class Node(PathId path) : ISimulatedNode
    {
        public PathId Path { get; } = path;

        public Queue<(PathId Path, byte[] Bytes)> Output { get; } = [];

        public List<string> Arrived { get; } = [];

        public EcnCodepoint LastEcn { get; private set; }

        public TimeSpan? Timer { get; set; }

        public bool KeepsTimer { get; set; }

        public TimeSpan? NextTimeout => Timer;

        public void HandleDatagram(TimeSpan now, PathId path, EcnCodepoint ecn, Span<byte> datagram)
        {
            LastEcn = ecn;
            Arrived.Add($"{now:c} {path.Value} {System.Text.Encoding.UTF8.GetString(datagram)}");
        }

        public void HandleTimeout(TimeSpan now) => Timer = KeepsTimer ? Timer : null;

        public void Work(TimeSpan now)
        {
        }

        public bool TryPollTransmit(TimeSpan now, Span<byte> buffer, int maxDatagrams, out Transmit transmit)
        {
            transmit = default;
            if (!Output.TryDequeue(out (PathId Path, byte[] Bytes) next))
            {
                return false;
            }

            next.Bytes.CopyTo(buffer);
            transmit = new Transmit(next.Path, next.Bytes.Length, next.Bytes.Length, EcnCodepoint.Ect0);
            return true;
        }
    }
}
