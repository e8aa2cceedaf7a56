using Gimlet.Quic.Connections;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>
/// Paths between two nodes that both offer <c>gimlet_paths</c>: either side sends wherever its owner says, from handshake completion on; what is not validated
/// yet is doubled on the path before (docs/protocol.md section 5).
/// </summary>
public sealed class GimletPathTests
{
    private static readonly TimeSpan Rtt = TimeSpan.FromMilliseconds(40);
    private static readonly PairOptions Nodes = new PairOptions().With(s => s with { GimletPaths = true });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Only_two_nodes_may_use_any_path(bool clientIsNode)
    {
        PairOptions options = new();
        options = clientIsNode
            ? options with { Client = options.Client with { GimletPaths = true } }
            : options with { Server = options.Server with { GimletPaths = true } };
        using var pair = new Pair(options: options);
        pair.Handshake();
        Way other = MigrationTests.NewWay(pair, Rtt);
        Assert.False(pair.Client.Core.TryUsePath(pair.Now, other.Client));
        Assert.False(pair.Server.Core.TryUsePath(pair.Now, other.Server));
    }

    // The relay carries the handshake; the direct path is there as soon as both know each other.
    [Fact]
    public void Either_side_uses_a_path_from_handshake_completion_on() => Seeds.Run(20, seed =>
    {
        using var pair = new Pair(seed, Nodes with { Tapped = true });
        pair.SetRtt(Rtt * 3);
        Way direct = MigrationTests.NewWay(pair, Rtt);
        var traffic = new Traffic(pair, seed, TrafficPlan.Bulk(200_000));

        // The server's connection ids come with its first 1-RTT packets, which are the answer to the client's Finished: until then the one id goes along.
        pair.RunUntil(() => pair.Client.IsConnected);
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, direct.Client));
        pair.RunUntil(() => pair.Server.IsConnected);
        Assert.True(pair.Server.Core.TryUsePath(pair.Now, direct.Server));
        TransferTests.Finish(pair, traffic);
        foreach (SimulatedPeer peer in (SimulatedPeer[])[pair.Client, pair.Server])
        {
            Assert.Contains(peer.Events, e => e.Kind == ConnectionEventKind.PathValidated);
            Assert.Equal(direct.PathOf(peer.Role), peer.Core.CurrentPath);
        }

        // (A challenge that overtakes the peer's connection ids is answered with the one that there is.)
        MigrationTests.AssertOwnIds(pair, EndpointRole.Server, pair.Way, direct);
    });

    [Fact]
    public void What_goes_to_a_path_that_is_not_validated_goes_on_the_old_one_as_well()
    {
        using var pair = new Pair(options: Nodes);
        pair.SetRtt(Rtt);
        pair.Handshake().RunToIdle();
        Way other = MigrationTests.NewWay(pair, Rtt * 10);
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, other.Client));
        TimeSpan start = pair.Now;
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(5_000), TrafficPlan.Silent);

        // By the old path all is there after half its round trip; the new one alone would take ten times as long.
        pair.RunUntil(() => traffic.BytesRead == 5_000);
        if (pair.Now - start > Rtt * 1.5)
        {
            Assert.Fail(pair.Describe());
        }

        TransferTests.Finish(pair, traffic);
    }

    [Fact]
    public void Each_datagram_arrives_once_while_two_paths_are_in_use() => Seeds.Run(10, seed =>
    {
        const int Count = 20;
        using var pair = new Pair(seed, Nodes);
        pair.SetRtt(Rtt);
        pair.Handshake().RunToIdle();
        Way slow = MigrationTests.NewWay(pair, Rtt * 10);
        Use(pair, slow);
        TimeSpan start = pair.Now;
        var traffic = new Traffic(pair, seed, TrafficPlan.Silent with { Datagrams = Count });

        // None is lost and none comes twice (which the traffic would tell), and all are there before the first round trip of the new path is over.
        pair.RunUntil(() => traffic.DatagramsReceived is (Count, Count));
        Assert.InRange(pair.Now - start, TimeSpan.Zero, Rtt * 10);
        TransferTests.Finish(pair, traffic);
        pair.RunToIdle();
        Assert.Equal((Count, Count), traffic.DatagramsReceived);
    });

    [Fact]
    public void A_dead_path_loses_nothing_and_is_left_by_itself() => Seeds.Run(20, seed =>
    {
        using var pair = new Pair(seed, Nodes);
        pair.SetRtt(Rtt).SetRate(20_000_000);
        var traffic = new Traffic(pair, seed, TrafficPlan.Bulk(500_000));
        pair.Handshake().RunUntil(() => traffic.BytesRead > 100_000);
        Way dead = MigrationTests.NewWay(pair, Rtt).Both(link => link.Loss = 1);
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, dead.Client));
        Assert.True(pair.Server.Core.TryUsePath(pair.Now, dead.Server));
        TransferTests.Finish(pair, traffic);

        // Half a second on a good path.
        Assert.InRange(pair.Now, TimeSpan.Zero, TimeSpan.FromSeconds(6));
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.PathFailed) && pair.Server.Has(ConnectionEventKind.PathFailed));
        Assert.Equal((pair.Way.Client, pair.Way.Server), (pair.Client.Core.CurrentPath, pair.Server.Core.CurrentPath));
    });

    [Fact]
    public void A_validated_path_that_dies_is_replaced_by_its_owner()
    {
        using var pair = new Pair(options: Nodes);
        pair.SetRtt(Rtt).SetRate(20_000_000);
        Way direct = MigrationTests.NewWay(pair, Rtt / 4);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(1_000_000));
        pair.Handshake();
        Use(pair, direct);
        pair.RunUntil(() => traffic.BytesRead > 300_000);
        direct.Both(link => link.Loss = 1);
        pair.Run(TimeSpan.FromMilliseconds(300));
        TimeSpan start = pair.Now;
        long before = traffic.BytesRead;
        pair.Client.Core.RemovePath(pair.Now, direct.Client);
        pair.Server.Core.RemovePath(pair.Now, direct.Server);
        pair.RunUntil(() => traffic.BytesRead > before + 50_000);
        Assert.InRange(pair.Now - start, TimeSpan.Zero, TimeSpan.FromMilliseconds(300));
        TransferTests.Finish(pair, traffic);
    }

    // Loss detection compares packets of one path only. (No queues, and a window that a short send buffer bounds: nothing is late.)
    [Fact]
    public void Paths_of_different_length_that_take_turns_make_no_losses() => Seeds.Run(10, seed =>
    {
        using var pair = new Pair(seed, Nodes.With(s => s with { SendBufferBytes = 100_000 }));
        Way slow = pair.Way, fast = MigrationTests.NewWay(pair, Rtt / 8);
        slow.Both(link => link.Delay = Rtt * 2);
        var traffic = new Traffic(pair, seed, TrafficPlan.Bulk(3_000_000), TrafficPlan.Silent);
        pair.Handshake();
        bool isFast = false;
        while (!traffic.IsDone && pair.Now < TimeSpan.FromSeconds(30))
        {
            pair.Run(TimeSpan.FromMilliseconds(100));
            isFast = !isFast;
            Use(pair, isFast ? fast : slow);
        }

        TransferTests.Finish(pair, traffic);

        // An acknowledgement that comes back by the longer way may be later than a probe timeout of the shorter one allows.
        if (pair.Client.Core.Counters.PacketsLost > 20)
        {
            Assert.Fail($"{pair.Client.Core.Counters.PacketsLost} lost; {pair.Describe()}");
        }
    });

    [Fact]
    public void Both_may_stay_on_different_paths()
    {
        using var pair = new Pair(options: Nodes);
        pair.SetRtt(Rtt).SetRate(20_000_000);
        Way first = MigrationTests.NewWay(pair, Rtt), second = MigrationTests.NewWay(pair, Rtt * 2);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(300_000));
        pair.Handshake();
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, first.Client));
        Assert.True(pair.Server.Core.TryUsePath(pair.Now, second.Server));
        TransferTests.Finish(pair, traffic);
        Assert.Equal((first.Client, second.Server), (pair.Client.Core.CurrentPath, pair.Server.Core.CurrentPath));
    }

    [Fact]
    public void Many_paths_one_after_the_other_and_back_again()
    {
        using var pair = new Pair(options: Nodes);
        pair.SetRtt(Rtt).SetRate(10_000_000);
        var ways = new List<Way> { pair.Way };
        for (int i = 0; i < 6; i++)
        {
            ways.Add(MigrationTests.NewWay(pair, Rtt));
        }

        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(1_000_000));
        pair.Handshake();
        for (int i = 0; i < 40 && !traffic.IsDone; i++)
        {
            Way next = ways[i % ways.Count];
            Use(pair, next);
            pair.Run(TimeSpan.FromMilliseconds(50));
        }

        TransferTests.Finish(pair, traffic);
        Assert.InRange(pair.Now, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Random_paths_on_bad_networks_lose_nothing() => Seeds.Run(60, seed =>
    {
        var random = new Random(seed);
        using var pair = new Pair(seed, HandshakeTests.Patient(Nodes));
        var ways = new List<Way> { pair.Way };
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            ways.Add(MigrationTests.NewWay(pair, TimeSpan.FromMilliseconds(random.Next(1, 300))));
        }

        foreach (Way way in ways)
        {
            way.Both(link => (link.Loss, link.Reordering, link.Mtu) = (random.Next(4) == 0 ? 1 : random.NextDouble() / 5, random.NextDouble() / 3, random.Next(1200, 1500)));
        }

        // One way is good enough at least: the one that the handshake is made on, and to which failed paths lead back.
        pair.Way.Both(link => link.Loss = random.NextDouble() / 10);
        var traffic = new Traffic(pair, seed, TransferTests.RandomPlan(random), TransferTests.RandomPlan(random));
        pair.Handshake();
        for (int i = 0; i < 10 && !traffic.IsDone; i++)
        {
            Way next = ways[random.Next(ways.Count)];
            EndpointRole side = (EndpointRole)random.Next(2);
            _ = pair[side].Core.TryUsePath(pair.Now, next.PathOf(side));
            pair.Run(TimeSpan.FromMilliseconds(random.Next(1, 500)));
        }

        // The owner finds out in the end.
        Use(pair, pair.Way);
        TransferTests.Finish(pair, traffic);
    });

    private static void Use(Pair pair, Way way)
    {
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, way.Client), $"the client may not use {way.Name}");
        Assert.True(pair.Server.Core.TryUsePath(pair.Now, way.Server), $"the server may not use {way.Name}");
    }
}
