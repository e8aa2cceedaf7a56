using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>A path that its owner proves while the handshake is under way by the relay: it is used from the moment of completion on (docs/connections.md, "A dial").</summary>
public sealed class EarlyPathTests
{
    private static readonly TimeSpan RelayRtt = TimeSpan.FromMilliseconds(120);
    private static readonly TimeSpan DirectRtt = TimeSpan.FromMilliseconds(20);
    private static readonly PairOptions Nodes = new PairOptions().With(s => s with { GimletPaths = true });

    [Fact]
    public void The_Finished_leaves_on_both_paths_and_the_shorter_one_brings_it() => Seeds.Run(20, seed =>
    {
        using Pair pair = NewPair(seed, out Way direct, tapped: true);
        var traffic = new Traffic(pair, seed, TrafficPlan.Bulk(2_000), TrafficPlan.Silent);
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, direct.Client));
        Assert.Equal(pair.Way.Client, pair.Client.Core.CurrentPath);
        pair.RunUntil(() => pair.Client.IsConnected);
        Assert.Equal(direct.Client, pair.Client.Core.CurrentPath);
        TimeSpan complete = pair.Now;
        Assert.Equal(RelayRtt, complete);

        // The client's first data is there with its Finished.
        pair.RunUntil(() => pair.Server.IsConnected && traffic.BytesRead == 2_000);
        Assert.Equal(DirectRtt / 2, pair.Now - complete);
        foreach (PacketType type in (PacketType[])[PacketType.Handshake, PacketType.OneRtt])
        {
            TappedPacket[] first = [.. pair.Tap!.From(EndpointRole.Client).Where(p => p.Type == type && p.Datagram.SentAt == complete && !p.Contains(FrameType.PathChallenge))];
            Assert.Equal(first.Count(p => p.Datagram.Way == direct), first.Count(p => p.Datagram.Way == pair.Way));
            Assert.NotEmpty(first);
        }

        TransferTests.Finish(pair, traffic);
        Assert.Equal(0, pair.Tap!.Unreadable);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Either_path_may_be_dead_and_the_Finished_arrives(bool directIsDead) => Seeds.Run(10, seed =>
    {
        using Pair pair = NewPair(seed, out Way direct);
        var traffic = new Traffic(pair, seed, TrafficPlan.Bulk(2_000), TrafficPlan.Silent);
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, direct.Client));
        pair.Intercept(d => pair.Client.IsConnected && d.Way == (directIsDead ? direct : pair.Way) ? Fate.Lose : Fate.None);
        pair.RunUntil(() => pair.Client.IsConnected);
        TimeSpan complete = pair.Now;
        pair.RunUntil(() => pair.Server.IsConnected && traffic.BytesRead == 2_000);
        Assert.Equal((directIsDead ? RelayRtt : DirectRtt) / 2, pair.Now - complete);

        // The server's owner learns of it where its own checks say so.
        Assert.True(pair.Server.Core.TryUsePath(pair.Now, (directIsDead ? pair.Way : direct).Server));
        TransferTests.Finish(pair, traffic);
    });

    [Fact]
    public void A_server_moves_with_completion_as_well()
    {
        using Pair pair = NewPair(1, out Way direct, tapped: true);
        var traffic = new Traffic(pair, 1, TrafficPlan.Silent, TrafficPlan.Bulk(2_000));
        pair.RunUntil(() => pair.Server.Connection is not null);
        Assert.True(pair.Server.Core.TryUsePath(pair.Now, direct.Server));
        Assert.Equal((pair.Way.Server, pair.Way.Server), (pair.Server.Core.CurrentPath, pair.Server.Core.InitialPath));
        pair.RunUntil(() => pair.Server.IsConnected);
        TimeSpan complete = pair.Now;
        Assert.Equal((direct.Server, pair.Way.Server), (pair.Server.Core.CurrentPath, pair.Server.Core.InitialPath));
        Assert.Contains(new ConnectionEvent(ConnectionEventKind.PathChanged, direct.Server), pair.Server.Events);
        pair.RunUntil(() => traffic.BytesRead == 2_000);
        Assert.Equal(DirectRtt / 2, pair.Now - complete);
        TransferTests.Finish(pair, traffic);
        Assert.All(
            pair.Tap!.From(EndpointRole.Server).Where(p => p.Datagram.SentAt < complete), p => Assert.Equal(pair.Way, p.Datagram.Way));
    }

    [Fact]
    public void The_last_word_before_completion_counts()
    {
        using Pair pair = NewPair(1, out Way direct);
        Way other = MigrationTests.NewWay(pair, DirectRtt);
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, direct.Client));
        Assert.True(pair.Client.Core.AbandonPath(pair.Now, direct.Client, other.Client));
        pair.RunUntil(() => pair.Server.Connection is not null);
        Assert.True(pair.Server.Core.TryUsePath(pair.Now, direct.Server));
        Assert.True(pair.Server.Core.TryUsePath(pair.Now, pair.Way.Server));
        pair.Handshake();
        Assert.Equal((other.Client, pair.Way.Server), (pair.Client.Core.CurrentPath, pair.Server.Core.CurrentPath));

        using Pair removed = NewPair(1, out direct);
        Assert.True(removed.Client.Core.TryUsePath(removed.Now, direct.Client));
        removed.Client.Core.RemovePath(removed.Now, direct.Client);
        removed.Handshake();
        Assert.Equal(removed.Way.Client, removed.Client.Core.CurrentPath);
    }

    // A relay whose WebSocket was opened again in the middle of a handshake: its owner need not wait for the backoff.
    [Fact]
    public void A_kick_helps_a_handshake_too()
    {
        using Pair pair = NewPair(1, out _);
        pair.Way.Both(link => link.Loss = 1);
        pair.Run(TimeSpan.FromSeconds(4));
        pair.Way.Both(link => link.Loss = 0);
        TimeSpan start = pair.Now;
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, pair.Way.Client));
        pair.RunUntil(() => pair.Client.IsConnected);
        Assert.InRange(pair.Now - start, RelayRtt, RelayRtt * 1.1);
    }

    [Fact]
    public void Early_paths_on_bad_networks_lose_nothing() => Seeds.Run(60, seed =>
    {
        var random = new Random(seed);
        using Pair pair = NewPair(seed, out Way direct, HandshakeTests.Patient(Nodes));
        pair.Way.Both(link => link.Loss = random.NextDouble() / 4);
        direct.Both(link => (link.Loss, link.Reordering) = (random.Next(3) == 0 ? 1 : random.NextDouble() / 3, random.NextDouble() / 3));
        var traffic = new Traffic(pair, seed, TransferTests.RandomPlan(random), TransferTests.RandomPlan(random));
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, direct.Client));
        if (random.Next(2) == 0)
        {
            pair.RunUntil(() => pair.Server.Connection is not null);
            Assert.True(pair.Server.Core.TryUsePath(pair.Now, direct.Server));
        }

        pair.Handshake();

        // The owner of a path that is dead finds out in the end.
        pair.Run(TimeSpan.FromSeconds(2));
        if (direct.Up.Loss == 1)
        {
            _ = pair.Client.Core.AbandonPath(pair.Now, direct.Client, pair.Way.Client);
            _ = pair.Server.Core.AbandonPath(pair.Now, direct.Server, pair.Way.Server);
        }

        TransferTests.Finish(pair, traffic);
    });

    // The owner of the paths copies what goes by the relay to an address that is not proven yet (EarlyCopies): the same bytes come two ways.
    [Fact]
    public void First_flights_that_come_both_ways_are_as_fast_as_the_shorter_one() => Seeds.Run(20, seed =>
    {
        using Pair pair = NewPair(seed, out Way direct);
        CopyFlights(pair, direct);
        var traffic = new Traffic(pair, seed, TrafficPlan.Bulk(2_000), TrafficPlan.Silent);

        // The client's Initial has no copy: its address is known to nobody yet.
        pair.RunUntil(() => pair.Client.IsConnected);
        Assert.Equal((RelayRtt / 2) + (DirectRtt / 2), pair.Now);
        pair.RunUntil(() => pair.Server.IsConnected && traffic.BytesRead == 2_000);
        Assert.Equal((RelayRtt / 2) + DirectRtt, pair.Now);

        // Nobody moves for it: where to send is the owner's to say.
        pair.Run(RelayRtt);
        Assert.Equal((pair.Way.Client, pair.Way.Server), (pair.Client.Core.CurrentPath, pair.Server.Core.CurrentPath));
        TransferTests.Finish(pair, traffic);
    });

    [Fact]
    public void Copies_on_bad_networks_lose_nothing_and_bring_nothing_twice() => Seeds.Run(40, seed =>
    {
        var random = new Random(seed);
        using Pair pair = NewPair(seed, out Way direct, HandshakeTests.Patient(Nodes));
        pair.Way.Both(link => (link.Loss, link.Reordering) = (random.NextDouble() / 4, random.NextDouble() / 3));
        CopyFlights(pair, direct, () => random.Next(3) == 0, () => TimeSpan.FromMilliseconds(random.Next(200)));
        var traffic = new Traffic(pair, seed, TransferTests.RandomPlan(random), TransferTests.RandomPlan(random));
        pair.Handshake();
        TransferTests.Finish(pair, traffic);
    });

    [Fact]
    public void A_client_that_knows_no_paths_drops_what_another_address_sends()
    {
        // RFC 9000 section 9: "If a client receives packets from an unknown server address, the client MUST discard these packets."
        using var pair = new Pair(1, new PairOptions());
        pair.SetRtt(RelayRtt);
        CopyFlights(pair, MigrationTests.NewWay(pair, DirectRtt));
        pair.RunUntil(() => pair.Client.IsConnected);
        Assert.Equal(RelayRtt, pair.Now);
        Assert.True(pair.Client.Core.Counters.PacketsDropped > 0);
    }

    private static void CopyFlights(Pair pair, Way direct, Func<bool>? isLost = null, Func<TimeSpan>? detour = null) => pair.Intercept(datagram =>
    {
        bool isFromServer = datagram.From == EndpointRole.Server;
        if (datagram.Way == pair.Way && (isFromServer || pair.Client.IsConnected) && isLost?.Invoke() != true)
        {
            pair.Network.Inject(
                isFromServer ? EndpointRole.Client : EndpointRole.Server,
                isFromServer ? direct.Client : direct.Server,
                [.. datagram.Bytes],
                detour?.Invoke() ?? DirectRtt / 2);
        }

        return Fate.None;
    });

    private static Pair NewPair(int seed, out Way direct, bool tapped = false) => NewPair(seed, out direct, Nodes with { Tapped = tapped });

    private static Pair NewPair(int seed, out Way direct, PairOptions options)
    {
        var pair = new Pair(seed, options);
        pair.SetRtt(RelayRtt);
        direct = MigrationTests.NewWay(pair, DirectRtt);
        return pair;
    }
}
