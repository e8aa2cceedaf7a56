using Gimlet.Sockets;
using Xunit;

namespace Gimlet.Simulation.Tests;

public sealed class WorldTests
{
    [Fact]
    public void Events_happen_in_the_order_of_their_time_and_then_of_their_making()
    {
        World world = new(1);
        List<int> order = [];
        world.After(TimeSpan.FromSeconds(2), () => order.Add(3));
        world.After(TimeSpan.FromSeconds(1), () => order.Add(1));
        world.After(TimeSpan.FromSeconds(1), () => order.Add(2));
        world.RunFor(TimeSpan.FromSeconds(3));
        Assert.Equal([1, 2, 3], order);
        Assert.Equal(TimeSpan.FromSeconds(3), world.Now);
    }

    [Fact]
    public void The_queue_gives_back_in_order_whatever_the_order_it_was_filled_in()
    {
        EventQueue queue = new();
        SimRandom random = new(5);
        Nothing nothing = new();
        for (int i = 0; i < 5000; i++)
        {
            queue.Add(random.Next(500), nothing, null, i);
        }

        SimEvent last = queue.Take();
        while (queue.Count > 0)
        {
            SimEvent next = queue.Take();
            Assert.True(last.IsBefore(next));
            last = next;
        }
    }

    [Fact]
    public void Running_until_a_condition_stops_at_the_event_that_made_it_true()
    {
        World world = new(1);
        bool happened = false;
        world.After(TimeSpan.FromSeconds(1), () => happened = true);
        Assert.True(world.RunUntil(() => happened, TimeSpan.FromSeconds(5)));
        Assert.Equal(TimeSpan.FromSeconds(1), world.Now);
        Assert.False(world.RunUntil(() => false, TimeSpan.FromSeconds(5)));
        Assert.Equal(TimeSpan.FromSeconds(6), world.Now);
    }

    [Fact]
    public void A_timer_that_was_moved_fires_once_at_its_last_time()
    {
        World world = new(1);
        List<TimeSpan> fired = [];
        SimTimer timer = new(world, () => fired.Add(world.Now));
        timer.Set(TimeSpan.FromSeconds(1));
        timer.Set(TimeSpan.FromSeconds(3));
        timer.Set(TimeSpan.FromSeconds(2));
        world.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal([TimeSpan.FromSeconds(2)], fired);
        timer.Set(TimeSpan.FromSeconds(6));
        timer.Cancel();
        world.RunFor(TimeSpan.FromSeconds(5));
        Assert.Single(fired);
    }

    [Fact]
    public void A_core_whose_timer_never_lets_the_clock_go_on_is_an_error()
    {
        World world = new(1);
        new DriverPump(world, new Spinning()).Pump();
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => world.RunFor(TimeSpan.FromSeconds(1)));
        Assert.Contains("again and again", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pump_drains_after_every_timeout_and_follows_the_timer_of_its_core()
    {
        World world = new(1);
        Ticking core = new();
        new DriverPump(world, core).Pump();
        world.RunFor(TimeSpan.FromMinutes(1));
        Assert.Equal([0, 1, 2, 3], core.Drained.Select(static at => (int)at.TotalSeconds));
        Assert.Equal(3, core.Timeouts);
    }

    [Fact]
    public void The_same_seed_gives_the_same_packets_at_the_same_instants_and_another_seed_does_not()
    {
        Assert.Equal(Story(11), Story(11));
        Assert.NotEqual(Story(11), Story(12));

        static string Story(ulong seed)
        {
            using StringWriter text = new();
            World world = new(seed, new SimTrace(text));
            LinkConditions rough = new()
            {
                Latency = TimeSpan.FromMilliseconds(20),
                Jitter = TimeSpan.FromMilliseconds(10),
                Loss = 0.1,
                Duplication = 0.1,
                Reordering = 0.1,
            };
            Router router = new(world, "nat", world.Internet, new RouterOptions { Nat = NatBehaviour.Symmetric, Wan = rough });
            SimHost server = world.Internet.AddHost("server");
            SimSocket echo = server.Bind(7);
            echo.OnDatagram = (_, remote, datagram) => echo.Send(remote, datagram);
            SimSocket client = router.Inside.AddHost("client").Bind();
            for (int i = 0; i < 50; i++)
            {
                world.After(TimeSpan.FromMilliseconds(i), () => client.Send(server.Address(7), new byte[10]));
            }

            world.RunFor(TimeSpan.FromSeconds(1));
            return text.ToString();
        }
    }

    [Fact]
    public void A_trace_line_has_the_time_the_place_the_packet_and_its_translation()
    {
        using StringWriter text = new();
        World world = new(1, new SimTrace(text) { Describe = static bytes => $"({bytes.Length} bytes of nothing)" });
        Router router = new(world, "nat", world.Internet);
        SimHost server = world.Internet.AddHost("server");
        _ = server.Bind(7);
        _ = router.Inside.AddHost("client").Bind(5000).Send(server.Address(7), [1, 2, 3]);
        world.RunFor(TimeSpan.FromSeconds(1));
        string[] lines = text.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        TransportAddress external = router.Nat!.PublicAddresses[0].WithPort(5000);
        Assert.Equal($"       0.000 client       sends     192.168.1.10:5000 -> {server.Address(7)} 3 B (3 bytes of nothing)", lines[0]);
        Assert.Equal($"       0.200 nat          out 192.168.1.10:5000 as {external} -> {server.Address(7)} 3 B (3 bytes of nothing)", lines[1]);
        Assert.Equal($"       5.300 server       receives  {external} -> {server.Address(7)} 3 B (3 bytes of nothing)", lines[2]);
    }

    [Fact]
    public void A_failing_seed_is_named_with_the_command_that_repeats_it()
    {
        Exception failure = Assert.ThrowsAny<Exception>(static () => Seeds.RunAll(5, static (seed, _) => Assert.NotEqual(3UL, seed), "My_test"));
        Assert.Contains("seed 3 failed", failure.Message, StringComparison.Ordinal);
        Assert.Contains(
            "GIMLET_SIM_SEED=3 dotnet run --project tests/Gimlet.Simulation -- -method '*.My_test'",
            failure.Message,
            StringComparison.Ordinal);
    }

    private sealed class Nothing : IEventTarget
    {
        public void Fire(object? state, long number)
        {
        }
    }

    private sealed class Spinning : ISimDriver
    {
        public TimeSpan? NextTimeout => TimeSpan.Zero;

        public void HandleTimeout(TimeSpan now)
        {
        }

        public void Drain(TimeSpan now)
        {
        }
    }

    private sealed class Ticking : ISimDriver
    {
        public List<TimeSpan> Drained { get; } = [];

        public int Timeouts { get; private set; }

        public TimeSpan? NextTimeout => Timeouts == 3 ? null : TimeSpan.FromSeconds(Timeouts + 1);

        public void HandleTimeout(TimeSpan now) => Timeouts++;

        public void Drain(TimeSpan now) => Drained.Add(now);
    }
}
