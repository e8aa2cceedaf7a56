using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>Paths as RFC 9000 section 9 has them: NATs that rebind, clients that migrate, attackers that forward.</summary>
public sealed class MigrationTests
{
    private static readonly TimeSpan Rtt = TimeSpan.FromMilliseconds(40);

    [Fact]
    public void A_nat_that_rebinds_in_the_middle_of_an_upload_costs_nothing_but_time() => Seeds.Run(20, seed =>
    {
        using var pair = new Pair(seed);
        pair.SetRtt(Rtt).SetRate(20_000_000);
        var traffic = new Traffic(pair, seed, TrafficPlan.Bulk(1_000_000), TrafficPlan.Silent);
        pair.Handshake().RunUntil(() => traffic.BytesRead > 300_000);
        PathId before = pair.Server.Core.CurrentPath;
        pair.Rebind();
        TransferTests.Finish(pair, traffic);
        AssertServerIsOn(pair, pair.Way.Server);
        Assert.NotEqual(before, pair.Way.Server);
        Assert.Equal(1, pair.Server.Core.Counters.Migrations);

        // 1 MB at 20 Mbit/s is 0.4 s.
        Assert.InRange(pair.Now, TimeSpan.FromSeconds(0.4), TimeSpan.FromSeconds(3));
    });

    // The client hears nothing from the server until it sends something itself: its probes or acknowledgements.
    [Fact]
    public void A_nat_that_rebinds_in_the_middle_of_a_download_is_found_by_the_next_packet_of_the_client() => Seeds.Run(20, seed =>
    {
        using var pair = new Pair(seed, new PairOptions().With(s => s with { KeepAlive = TimeSpan.FromSeconds(1) }));
        pair.SetRtt(Rtt).SetRate(20_000_000);
        var traffic = new Traffic(pair, seed, TrafficPlan.Silent, TrafficPlan.Bulk(1_000_000));
        pair.Handshake().RunUntil(() => traffic.BytesRead > 300_000);
        pair.Rebind();
        TransferTests.Finish(pair, traffic);
        AssertServerIsOn(pair, pair.Way.Server);
        Assert.InRange(pair.Now, TimeSpan.FromSeconds(0.4), TimeSpan.FromSeconds(5));
    });

    [Fact]
    public void A_nat_that_rebinds_again_and_again_never_ends_the_connection()
    {
        // The keep-alive: a client whose flow-control limit is reached has nothing to say, and the server's next limit goes where nobody is.
        using var pair = new Pair(options: new PairOptions().With(s => s with { KeepAlive = TimeSpan.FromMilliseconds(500) }));
        pair.SetRtt(Rtt).SetRate(5_000_000);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(2_000_000), TrafficPlan.Silent);
        pair.Handshake();
        while (!traffic.IsDone)
        {
            pair.Run(TimeSpan.FromMilliseconds(150)).Rebind();
            if (pair.Server.Core.Closed is not null || pair.Now > TimeSpan.FromMinutes(1))
            {
                Assert.Fail(pair.Describe());
            }
        }

        Assert.True(pair.Server.Core.Counters.Migrations > 10);
    }

    [Fact]
    public void An_idle_connection_whose_nat_rebinds_goes_on_when_the_client_speaks()
    {
        using var pair = new Pair();
        pair.Handshake().RunToIdle();
        pair.Rebind();
        var traffic = new Traffic(pair, 1, new TrafficPlan { Streams = 3, Bytes = 20_000 });
        TransferTests.Finish(pair, traffic);
        AssertServerIsOn(pair, pair.Way.Server);
    }

    // RFC 9000 sections 9.2 and 9.5.
    [Fact]
    public void A_client_migrates_in_the_middle_of_a_transfer_with_another_connection_id_on_either_side() => Seeds.Run(20, seed =>
    {
        using var pair = new Pair(seed, new PairOptions { Tapped = true });
        pair.SetRtt(Rtt).SetRate(20_000_000);
        var traffic = new Traffic(pair, seed, TrafficPlan.Bulk(600_000));
        pair.Handshake().RunUntil(() => traffic.BytesRead > 200_000);
        Way wifi = pair.Way, cellular = NewWay(pair, Rtt * 2);
        Assert.True(pair.Client.Core.TryMigrate(pair.Now, cellular.Client));
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.PathChanged));
        Assert.Equal(cellular.Client, pair.Client.Core.CurrentPath);
        TransferTests.Finish(pair, traffic);
        AssertServerIsOn(pair, cellular.Server);
        AssertOwnIdsPerWay(pair, wifi, cellular);
    });

    [Fact]
    public void The_old_path_may_die_as_soon_as_the_new_one_is_used()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt).SetRate(20_000_000);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(600_000));
        pair.Handshake().RunUntil(() => traffic.BytesRead > 200_000);
        Way other = NewWay(pair, Rtt);
        Assert.True(pair.Client.Core.TryMigrate(pair.Now, other.Client));
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.PathChanged));
        pair.Way.Both(link => link.Loss = 1);
        pair.Client.Core.RemovePath(pair.Now, pair.Way.Client);
        TransferTests.Finish(pair, traffic);
        Assert.InRange(pair.Now, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_migration_to_a_dead_path_fails_and_the_old_one_goes_on()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt).SetRate(20_000_000);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(1_000_000));
        pair.Handshake().RunUntil(() => traffic.BytesRead > 200_000);
        Way dead = NewWay(pair, Rtt).Both(link => link.Loss = 1);
        Assert.True(pair.Client.Core.TryMigrate(pair.Now, dead.Client));
        TransferTests.Finish(pair, traffic);
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.PathFailed), TimeSpan.FromSeconds(10));
        Assert.Equal(pair.Way.Client, pair.Client.Core.CurrentPath);
        Assert.False(pair.Client.Has(ConnectionEventKind.PathChanged));
        AssertServerIsOn(pair, pair.Way.Server);
    }

    // A path that lets only one direction through is none.
    [Fact]
    public void A_migration_to_a_path_without_a_way_back_fails()
    {
        using var pair = new Pair();
        pair.Handshake().RunToIdle();
        Way oneWay = NewWay(pair, Rtt);
        oneWay.Down.Loss = 1;
        Assert.True(pair.Client.Core.TryMigrate(pair.Now, oneWay.Client));
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.PathFailed));
        Assert.Equal(pair.Way.Client, pair.Client.Core.CurrentPath);
        var traffic = new Traffic(pair, 1, new TrafficPlan { Streams = 3, Bytes = 20_000 });
        TransferTests.Finish(pair, traffic);
        AssertServerIsOn(pair, pair.Way.Server);
    }

    [Fact]
    public void A_client_may_migrate_more_often_than_there_are_connection_ids_at_once()
    {
        using var pair = new Pair();
        pair.Handshake().RunToIdle();
        for (int i = 1; i <= 30; i++)
        {
            Way next = NewWay(pair, Rtt);
            Assert.True(pair.Client.Core.TryMigrate(pair.Now, next.Client), $"migration {i}");
            pair.RunUntil(() => pair.Client.Core.CurrentPath == next.Client, TimeSpan.FromSeconds(5));
            pair.Client.Core.Ping();
            pair.RunToIdle();
            AssertServerIsOn(pair, next.Server);
            Assert.InRange(pair.Server.Routes.ActiveCount, 1, 16);
        }
    }

    [Fact]
    public void Migration_needs_a_confirmed_handshake_a_client_and_a_peer_that_allows_it()
    {
        using var pair = new Pair();
        Way other = NewWay(pair, Rtt);
        Assert.False(pair.Client.Core.TryMigrate(pair.Now, other.Client));
        pair.Handshake();
        Assert.False(pair.Server.Core.TryMigrate(pair.Now, other.Server));

        PairOptions options = new();
        using var fixedServer = new Pair(options: options with { Server = options.Server with { DisableActiveMigration = true } });
        other = NewWay(fixedServer, Rtt);
        fixedServer.Handshake();
        Assert.False(fixedServer.Client.Core.TryMigrate(fixedServer.Now, other.Client));
    }

    // RFC 9000 section 9.3.3: an attacker that forwards copies faster than the network makes it look like a migration. The client's own packets move
    // the server back.
    [Fact]
    public void An_attacker_that_replays_packets_from_elsewhere_moves_the_server_for_a_moment_at_most() => Seeds.Run(20, seed =>
    {
        using var pair = new Pair(seed);
        pair.SetRtt(Rtt).SetRate(5_000_000);
        Way attacker = NewWay(pair, TimeSpan.FromMilliseconds(4));
        attacker.Down.Loss = 1;
        var traffic = new Traffic(pair, seed, TrafficPlan.Bulk(500_000));
        int forwarded = 0;
        pair.Intercept(d =>
        {
            if (d.From == EndpointRole.Client && pair.Server.IsConnected && traffic.BytesRead > 200_000 && forwarded < 10)
            {
                forwarded++;
                pair.Network.Inject(EndpointRole.Server, attacker.Server, [.. d.Bytes], TimeSpan.FromMilliseconds(1));
            }

            return Fate.None;
        });
        TransferTests.Finish(pair, traffic);
        Assert.Equal(10, forwarded);
        pair.RunToIdle();
        AssertServerIsOn(pair, pair.Way.Server);
        Assert.Equal(pair.Way.Client, pair.Client.Core.CurrentPath);
        Assert.InRange(pair.Now, TimeSpan.Zero, TimeSpan.FromSeconds(12));
    });

    // RFC 9000 section 9.3.1: what goes to an address that nobody proved stays within three times what came from it.
    [Fact]
    public void A_spoofed_address_is_not_flooded()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt);
        var traffic = new Traffic(pair, 1, TrafficPlan.Silent, TrafficPlan.Bulk(3_000_000));
        pair.Handshake().RunUntil(() => traffic.BytesRead > 200_000);
        Way victim = NewWay(pair, Rtt);
        long sentToVictim = 0, received = 0;
        pair.Network.OnSent = d =>
        {
            if (d.Way == victim)
            {
                sentToVictim += d.Bytes.Length;
                Assert.True(sentToVictim <= 3 * received, $"{sentToVictim} bytes to an address from which {received} came");
            }
        };

        // One genuine packet of the client with the victim's address on it; the original is lost.
        bool isDone = false;
        pair.Intercept(d =>
        {
            if (d.From == EndpointRole.Client && !isDone)
            {
                isDone = true;
                received = d.Bytes.Length;
                pair.Network.Inject(EndpointRole.Server, victim.Server, [.. d.Bytes]);
                return Fate.Lose;
            }

            return d.Way == victim ? Fate.Lose : Fate.None;
        });
        TransferTests.Finish(pair, traffic);
        Assert.True(isDone);
        AssertServerIsOn(pair, pair.Way.Server);
    }

    // RFC 9000 section 9.4.
    [Fact]
    public void The_servers_view_of_a_new_path_begins_anew()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt).SetRate(20_000_000);
        var traffic = new Traffic(pair, 1, TrafficPlan.Silent, TrafficPlan.Bulk(2_000_000));
        pair.Handshake().RunUntil(() => traffic.BytesRead > 500_000);
        long window = pair.Server.Core.GetStatistics().CongestionWindow;
        Way other = NewWay(pair, Rtt * 3);
        Assert.True(pair.Client.Core.TryMigrate(pair.Now, other.Client));
        pair.RunUntil(() => pair.Server.Core.CurrentPath == other.Server);
        Assert.InRange(pair.Server.Core.GetStatistics().CongestionWindow, 1, Math.Min(window, 30_000));
        TransferTests.Finish(pair, traffic);
        AssertServerIsOn(pair, other.Server);
        Assert.InRange(pair.Server.Core.GetStatistics().Rtt, Rtt * 2.9, Rtt * 5);
    }

    internal static Way NewWay(Pair pair, TimeSpan rtt) => pair.Network.AddWay().Both(link => link.Delay = rtt / 2);

    internal static void AssertServerIsOn(Pair pair, PathId path)
    {
        if (pair.Server.Core.CurrentPath != path)
        {
            Assert.Fail($"the server is on {pair.Server.Core.CurrentPath}, not {path}: {pair.Describe()}");
        }
    }

    /// <summary>RFC 9000 section 9.5: an observer of both ways cannot tell by the ids that they are one connection's.</summary>
    internal static void AssertOwnIdsPerWay(Pair pair, Way first, Way second)
    {
        AssertOwnIds(pair, EndpointRole.Client, first, second);
        AssertOwnIds(pair, EndpointRole.Server, first, second);
    }

    internal static void AssertOwnIds(Pair pair, EndpointRole side, Way first, Way second)
    {
        HashSet<ConnectionId> onFirst = IdsOn(first), onSecond = IdsOn(second);
        Assert.NotEmpty(onSecond);
        Assert.False(onFirst.Overlaps(onSecond), $"{side} uses one id on both ways");

        HashSet<ConnectionId> IdsOn(Way way) =>
            [.. pair.Tap!.From(side).Where(p => p.Datagram.Way == way && p.Type == PacketType.OneRtt).Select(p => p.Destination)];
    }
}
