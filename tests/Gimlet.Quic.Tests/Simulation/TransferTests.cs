using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>Data in both directions: what was written arrives, whatever the network does.</summary>
public sealed class TransferTests
{
    private static readonly TimeSpan Rtt = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(30);

    [Fact]
    public void Megabytes_arrive_in_both_directions()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(3_000_000));
        Finish(pair, traffic);
        Assert.Equal(6_000_000, traffic.BytesRead);
    }

    [Fact]
    public void The_same_seed_gives_the_same_trace()
    {
        ulong[] first = [.. Enumerable.Range(1, 5).Select(Trace)];
        Assert.Equal(first, Enumerable.Range(1, 5).Select(Trace));

        static ulong Trace(int seed)
        {
            using var pair = new Pair(seed);
            pair.SetRtt(Rtt).SetLoss(5).Reorder(5, Rtt);
            var traffic = new Traffic(pair, seed, new TrafficPlan { Streams = 5, Datagrams = 20, Resets = 0.2, Stops = 0.2 });
            Finish(pair, traffic);
            return pair.Network.Trace.Hash;
        }
    }

    [Fact]
    public void More_streams_than_are_permitted_at_once_are_opened_one_after_the_other()
    {
        using var pair = new Pair(options: new PairOptions().With(s => s with { MaxBidirectionalStreams = 3, MaxUnidirectionalStreams = 2 }));
        var traffic = new Traffic(pair, 1, new TrafficPlan { Streams = 200, Bytes = 500 });
        Finish(pair, traffic);
        Assert.Equal(600, traffic.Flows.Count);
    }

    [Fact]
    public void Everything_at_random_arrives_on_random_networks() => Seeds.Run(150, seed =>
    {
        var random = new Random(seed);
        PairOptions options = HandshakeTests.Patient(new PairOptions { Retry = random.Next(5) == 0 }).With(s => s with
        {
            StreamWindow = 1 << random.Next(12, 20),
            ConnectionWindow = 1 << random.Next(13, 21),
            SendBufferBytes = 1 << random.Next(10, 20),
            MaxBidirectionalStreams = random.Next(1, 20),
            MaxUnidirectionalStreams = random.Next(1, 20),
            DatagramQueueBytes = 1 << random.Next(12, 20),
        });
        using var pair = new Pair(seed, options);
        BadNetwork(pair, random);
        var traffic = new Traffic(pair, seed, RandomPlan(random), RandomPlan(random));
        Finish(pair, traffic);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(30)]
    public void A_long_transfer_survives_loss(int percent) => Seeds.Run(3, seed =>
    {
        using var pair = new Pair(seed, HandshakeTests.Patient(new PairOptions()));
        pair.SetRtt(Rtt).SetLoss(percent).SetRate(20_000_000);
        var traffic = new Traffic(pair, seed, TrafficPlan.Bulk(400_000), TrafficPlan.Bulk(150_000));
        Finish(pair, traffic);
        Assert.Equal(550_000, traffic.BytesRead);
    });

    [Fact]
    public void Datagrams_arrive_once_each_on_a_good_network()
    {
        using var pair = new Pair();
        var traffic = new Traffic(pair, 1, new TrafficPlan { Streams = 2, Bytes = 10_000, Datagrams = 500 });
        Finish(pair, traffic);
        pair.RunToIdle();
        Assert.Equal((500, 500), traffic.DatagramsReceived);
    }

    [Fact]
    public void A_reader_that_stops_reading_stops_the_writer_and_nothing_is_sent_meanwhile()
    {
        PairOptions options = new PairOptions { Tapped = true }.With(s => s with { StreamWindow = 50_000, ConnectionWindow = 75_000, SendBufferBytes = 1 << 20 });
        using var pair = new Pair(options: options);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(300_000), TrafficPlan.Silent);
        traffic.Pause(EndpointRole.Server, isPaused: true);
        pair.Handshake().RunToIdle();
        Assert.Contains(FrameType.StreamDataBlocked, pair.Tap!.FrameTypes);
        Assert.InRange(pair.Server.Core.Counters.BytesReceived, 50_000, 65_000);

        int sent = pair.Network.SentBy(EndpointRole.Client);
        pair.Run(TimeSpan.FromSeconds(20));
        Assert.InRange(pair.Network.SentBy(EndpointRole.Client) - sent, 0, 5);
        traffic.Pause(EndpointRole.Server, isPaused: false);
        Finish(pair, traffic);
    }

    [Fact]
    public void Every_type_of_frame_is_sent_and_understood()
    {
        var seen = new HashSet<FrameType>();
        for (int seed = 1; seed <= 4; seed++)
        {
            PairOptions options = new PairOptions { Tapped = true }.With(s => s with
            {
                StreamWindow = 10_000,
                ConnectionWindow = 12_000,
                MaxBidirectionalStreams = 3,
                MaxUnidirectionalStreams = 3,
                Ecn = seed % 2 == 0,
            });
            using var pair = new Pair(seed, options);
            pair.SetRtt(Rtt).SetLoss(2);
            var traffic = new Traffic(
                pair, seed, new TrafficPlan { Streams = 20, Bytes = 40_000, Datagrams = 10, Resets = 0.3, Stops = 0.3, Laziness = 0.5 });
            pair.Handshake();
            pair.Server.Core.SendNewToken(new byte[32]);
            pair.Client.Core.TryMigrate(pair.Now, pair.Network.AddWay().Client);
            Finish(pair, traffic);
            pair.Client.Core.RemovePath(pair.Now, pair.Client.Core.CurrentPath);
            pair.Client.Core.Ping();
            pair.RunToIdle();
            pair.Client.Core.Close(pair.Now, 7, "enough");
            pair.RunUntil(() => pair.Server.Has(ConnectionEventKind.Closed));
            seen.UnionWith(pair.Tap!.FrameTypes);
            Assert.Equal(0, pair.Tap.Unreadable);
        }

        // The error close.
        using (var pair = new Pair(options: new PairOptions
        {
            Tapped = true,
            ClientTls = SimulatedIdentities.ClientOptions() with { ApplicationProtocols = [new("other")] },
        }))
        {
            pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Closed));
            seen.UnionWith(pair.Tap!.FrameTypes);
        }

        FrameType[] all = [.. Enum.GetValues<FrameType>().Where(t => FrameRules.IsKnown(t) && (!FrameRules.IsStream(t) || t == FrameType.Stream))];

        // DATAGRAM is always sent with its length: something may follow.
        Assert.Equal([FrameType.Datagram], all.Except(seen));
    }

    internal static void BadNetwork(Pair pair, Random random)
    {
        pair.SetRtt(TimeSpan.FromMilliseconds(random.Next(1, 200)));
        if (random.Next(2) == 0)
        {
            pair.SetLoss(random.Next(31));
        }

        if (random.Next(2) == 0)
        {
            pair.Reorder(random.Next(50), TimeSpan.FromMilliseconds(random.Next(1, 100)));
        }

        if (random.Next(3) == 0)
        {
            pair.Duplicate(random.Next(30)).Corrupt(random.Next(10));
        }

        if (random.Next(2) == 0)
        {
            pair.SetRate(random.Next(500_000, 50_000_000), random.Next(5_000, 200_000));
        }

        if (random.Next(3) == 0)
        {
            pair.Way.Both(link => link.Marking = random.NextDouble() / 10);
        }
    }

    internal static TrafficPlan RandomPlan(Random random) => new()
    {
        Streams = random.Next(0, 12),
        Bytes = random.Next(3) == 0 ? random.Next(100_000) : random.Next(3000),
        Answers = random.Next(4) != 0,
        Resets = random.Next(3) == 0 ? random.NextDouble() / 2 : 0,
        Stops = random.Next(3) == 0 ? random.NextDouble() / 2 : 0,
        Datagrams = random.Next(3) == 0 ? random.Next(50) : 0,
        Laziness = random.NextDouble() / 2,
        Chunk = 1 << random.Next(2, 16),
    };

    internal static void Finish(Pair pair, Traffic traffic)
    {
        try
        {
            pair.RunUntil(() => traffic.IsDone || IsBroken(pair), Long, "the transfer");
            pair.RunUntil(() => traffic.IsForgotten || IsBroken(pair), Long, "the end of all streams");
        }
        catch (SimulationException e)
        {
            throw new SimulationException($"{e.Message}\n{traffic.Describe()}", e);
        }

        if (IsBroken(pair))
        {
            throw new SimulationException($"the connection broke: {pair.Describe()}\n{traffic.Describe()}");
        }
    }

    private static bool IsBroken(Pair pair) => pair.Client.Connection?.Closed is not null || pair.Server.Connection?.Closed is not null;
}
