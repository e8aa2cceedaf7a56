using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>
/// Two nodes with a relay and a direct path, one of which dies or comes back: what the owner of the paths is told, and how soon its word has an effect
/// (docs/connections.md, "The choice of path"; docs/protocol.md section 5).
/// </summary>
public sealed class OwnedPathTests
{
    private static readonly TimeSpan RelayRtt = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan DirectRtt = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan MaxAckDelay = TimeSpan.FromMilliseconds(25);
    private static readonly PairOptions Nodes = new PairOptions().With(s => s with { GimletPaths = true });

    // The receiver does nothing: its acknowledgements follow the sender.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_direct_path_that_dies_in_a_transfer_is_left_by_the_sender_alone(bool isUpload) => Seeds.Run(20, seed =>
    {
        EndpointRole sender = isUpload ? EndpointRole.Client : EndpointRole.Server;
        using Pair pair = WithRelay(seed, out Way direct);
        Traffic traffic = Bulk(pair, seed, sender, 1_500_000);
        UseBoth(pair, direct);
        pair.RunUntil(() => traffic.BytesRead > 300_000);
        ConnectionPath relay = PathOf(pair, sender, pair.Way);
        (long window, TimeSpan rtt) = (relay.Recovery.CongestionWindow, relay.Recovery.Rtt.Smoothed);
        Assert.InRange(rtt, RelayRtt * 0.9, RelayRtt * 2);
        direct.Both(link => link.Loss = 1);
        (long before, TimeSpan last) = (0, pair.Now);
        pair.RunUntil(() =>
        {
            (before, last) = traffic.BytesRead > before ? (traffic.BytesRead, pair.Now) : (before, last);
            return pair[sender].Has(ConnectionEventKind.PathSilent);
        });
        Assert.True(pair[sender].Core.AbandonPath(pair.Now, direct.PathOf(sender), pair.Way.PathOf(sender)));
        Assert.Equal(0, PathOf(pair, sender, direct).Recovery.BytesInFlight);
        Assert.Equal((window, 0L), (relay.Recovery.CongestionWindow, relay.Recovery.CongestionEvents));
        pair.RunUntil(() => traffic.BytesRead > before);

        // The second timeout is twice as long as the first (RFC 9002 section 6.2.1). What goes out again first may have arrived, its acknowledgement lost: then
        // a round trip passes before what is missing.
        TimeSpan pto = PathOf(pair, sender, direct).Recovery.PtoPeriod(PacketNumberSpace.Application, MaxAckDelay);
        Assert.InRange(pair.Now - last, TimeSpan.Zero, (pto * 3) + (RelayRtt * 2));
        TransferTests.Finish(pair, traffic);
        Assert.Equal(direct.PathOf(Other(sender)), pair[Other(sender)].Core.CurrentPath);
        Assert.Equal(0, relay.Recovery.CongestionEvents);
    });

    [Fact]
    public void An_abandoned_path_shows_its_return_and_is_used_again_without_copies()
    {
        using Pair pair = WithRelay(1, out Way direct, tapped: true);
        UseBoth(pair, direct);
        pair.RunToIdle();
        direct.Both(link => link.Loss = 1);
        Assert.True(pair.Client.Core.AbandonPath(pair.Now, direct.Client, pair.Way.Client));
        pair.Client.Events.Clear();

        // Longer than one validation takes: it goes on, and nobody is told of a failure.
        pair.Run(TimeSpan.FromSeconds(25));
        Assert.DoesNotContain(pair.Client.Events, e => e.Kind is ConnectionEventKind.PathFailed or ConnectionEventKind.PathValidated);
        int challenges = pair.Tap!.From(EndpointRole.Client).Count(p => p.Datagram.Way == direct && p.Contains(FrameType.PathChallenge));
        Assert.InRange(challenges, 6, 20);
        direct.Both(link => link.Loss = 0);
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.PathValidated), TimeSpan.FromSeconds(31));
        Assert.Contains(new ConnectionEvent(ConnectionEventKind.PathValidated, direct.Client), pair.Client.Events);
        Assert.Equal(pair.Way.Client, pair.Client.Core.CurrentPath);
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, direct.Client));
        TimeSpan back = pair.Now;
        TransferTests.Finish(pair, Bulk(pair, 1, EndpointRole.Client, 50_000));
        Assert.DoesNotContain(
            pair.Tap.From(EndpointRole.Client), p => p.Datagram.SentAt >= back && p.Datagram.Way == pair.Way && p.Contains(FrameType.Stream));
    }

    [Fact]
    public void A_silence_is_told_once_and_the_next_one_again()
    {
        using Pair pair = WithRelay(1, out Way direct);
        UseBoth(pair, direct);
        pair.RunToIdle();
        for (int silences = 1; silences <= 3; silences++)
        {
            direct.Both(link => link.Loss = 1);
            pair.Client.Core.Ping();
            pair.Run(TimeSpan.FromSeconds(3));
            Assert.Equal(silences, pair.Client.Count(ConnectionEventKind.PathSilent));
            Assert.Contains(new ConnectionEvent(ConnectionEventKind.PathSilent, direct.Client), pair.Client.Events);
            direct.Both(link => link.Loss = 0);
            pair.RunUntil(() => PathOf(pair, EndpointRole.Client, direct).Recovery.PtoCount == 0).RunToIdle();
        }

        Assert.Equal(0, pair.Server.Count(ConnectionEventKind.PathSilent));
    }

    // The relay is there, and QUIC knows it: but only where the peer's own packets have come another way since does anything follow them.
    [Fact]
    public void A_silent_path_is_not_left_without_its_owner()
    {
        using Pair pair = WithRelay(1, out Way direct, tapped: true);
        UseBoth(pair, direct);
        Traffic traffic = Bulk(pair, 1, EndpointRole.Client, 1_000_000);
        pair.RunUntil(() => traffic.BytesRead > 200_000);
        direct.Both(link => link.Loss = 1);
        TimeSpan start = pair.Now;
        pair.Run(TimeSpan.FromSeconds(10));
        Assert.True(pair.Client.Has(ConnectionEventKind.PathSilent));
        Assert.DoesNotContain(pair.Tap!.Packets, p => p.Datagram.SentAt > start && p.Datagram.Way == pair.Way);
        direct.Both(link => link.Loss = 0);
        TransferTests.Finish(pair, traffic);
    }

    [Fact]
    public void A_foreign_peer_that_is_silent_makes_no_event_and_keeps_its_rules()
    {
        using var pair = new Pair(options: Nodes with { Server = PairOptions.Settings() });
        Way other = MigrationTests.NewWay(pair, DirectRtt);
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, other.Client), "whether the peer is a node is not known yet");
        pair.Handshake().RunToIdle();
        Assert.Equal(pair.Way.Client, pair.Client.Core.CurrentPath);
        Assert.False(pair.Client.Core.TryUsePath(pair.Now, other.Client));
        Assert.False(pair.Client.Core.TryUsePath(pair.Now, pair.Way.Client));
        Assert.False(pair.Client.Core.AbandonPath(pair.Now, pair.Way.Client, other.Client));
        pair.Way.Both(link => link.Loss = 1);
        pair.Client.Core.Ping();
        pair.Run(TimeSpan.FromSeconds(5));
        Assert.False(pair.Client.Has(ConnectionEventKind.PathSilent));
    }

    [Fact]
    public void Where_the_peer_moved_is_told_once_for_each_move()
    {
        using Pair pair = WithRelay(1, out Way direct);
        pair.RunToIdle();
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, direct.Client));
        Talk(pair, 10);
        Assert.Equal([new ConnectionEvent(ConnectionEventKind.PeerMoved, direct.Server)], Moves(pair.Server));
        Assert.Equal(pair.Way.Server, pair.Server.Core.CurrentPath);

        // Back on the path in use, for longer than copies would come there; and gone again.
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, pair.Way.Client));
        Talk(pair, 10);
        Assert.Single(Moves(pair.Server));
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, direct.Client));
        Talk(pair, 10);
        Assert.Equal(2, Moves(pair.Server).Count);

        // Once the owner follows there is nothing to tell; acknowledgements that come another way are no move.
        Assert.True(pair.Server.Core.TryUsePath(pair.Now, direct.Server));
        Talk(pair, 10);
        Assert.Equal(2, Moves(pair.Server).Count);
        Assert.Empty(Moves(pair.Client));
    }

    [Fact]
    public void A_peer_that_alternates_between_paths_is_told_of_once_in_a_round_trip_at_most()
    {
        using Pair pair = WithRelay(1, out Way first);
        Way second = MigrationTests.NewWay(pair, DirectRtt);
        pair.RunToIdle();
        TimeSpan rtt = PathOf(pair, EndpointRole.Server, pair.Way).Recovery.Rtt.Smoothed;
        TimeSpan start = pair.Now;
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(pair.Client.Core.TryUsePath(pair.Now, i % 2 == 0 ? first.Client : second.Client));
            pair.Client.Core.Ping();
            pair.Run(TimeSpan.FromMilliseconds(1));
        }

        Assert.InRange(Moves(pair.Server).Count, 2, (int)((pair.Now - start) / (rtt * 0.9)) + 1);
    }

    // The server sends on the relay and has used the direct path before; what comes there is acknowledged there, and the round trip is the direct path's.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Acknowledgements_return_on_the_way_the_data_came(bool isUpload) => Seeds.Run(10, seed =>
    {
        EndpointRole sender = isUpload ? EndpointRole.Client : EndpointRole.Server;
        using Pair pair = WithRelay(seed, out Way direct, tapped: true);
        EndpointRole receiver = Other(sender);
        UseBoth(pair, direct);
        pair.RunToIdle();
        Assert.True(pair[receiver].Core.TryUsePath(pair.Now, pair.Way.PathOf(receiver)));
        pair.RunToIdle();
        TimeSpan start = pair.Now;
        TransferTests.Finish(pair, Bulk(pair, seed, sender, 300_000));
        pair.RunToIdle();
        TappedPacket[] answers = [.. pair.Tap!.From(receiver).Where(p => p.Datagram.SentAt >= start)];
        int count = answers.Count(p => IsAck(p) && p.Datagram.Way == direct);
        Assert.True(count > 20, $"{count} of {answers.Length} acknowledgements came on the direct path");
        Assert.DoesNotContain(answers, p => p.Datagram.Way != direct && IsAck(p));

        // All that is its own (flow control) goes where its owner said.
        Assert.DoesNotContain(answers, p => p.Datagram.Way == direct && p.Frames.Any(f => f is FrameType.MaxData or FrameType.MaxStreamData));
        RttEstimator rtt = PathOf(pair, sender, direct).Recovery.Rtt;
        Assert.InRange(rtt.Minimum, DirectRtt * 0.99, DirectRtt * 1.2);
        Assert.InRange(rtt.Smoothed, DirectRtt, DirectRtt * 3);
        Assert.Equal(0, pair[sender].Core.Counters.PacketsLost);
    });

    // While only the sender knows the direct path, its packets are acknowledged by the relay; the round trip is then what the two ways make of it.
    [Fact]
    public void A_path_that_was_only_seen_gets_no_acknowledgements_until_its_owner_vouches()
    {
        using Pair pair = WithRelay(1, out Way direct, tapped: true);
        pair.RunToIdle();
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, direct.Client));
        Traffic traffic = Bulk(pair, 1, EndpointRole.Client, 500_000);
        pair.RunUntil(() => traffic.BytesRead > 100_000);
        Assert.All(
            pair.Tap!.From(EndpointRole.Server).Where(p => p.Datagram.Way == direct),
            p => Assert.DoesNotContain(p.Frames, f => f is not (FrameType.PathResponse or FrameType.Padding)));
        RttEstimator rtt = PathOf(pair, EndpointRole.Client, direct).Recovery.Rtt;
        Assert.InRange(rtt.Smoothed, DirectRtt * 1.5, RelayRtt * 1.5);
        Assert.True(pair.Server.Core.TryUsePath(pair.Now, direct.Server));
        TransferTests.Finish(pair, traffic);
        Assert.InRange(rtt.Minimum, DirectRtt * 0.99, DirectRtt * 1.2);
    }

    [Fact]
    public void Packets_that_are_replayed_from_a_third_address_are_worth_nothing_there() => Seeds.Run(20, seed =>
    {
        using Pair pair = WithRelay(seed, out Way direct);
        Way attacker = MigrationTests.NewWay(pair, TimeSpan.FromMilliseconds(4));
        Traffic traffic = Bulk(pair, seed, EndpointRole.Client, 300_000);
        UseBoth(pair, direct);
        int forwarded = 0;
        pair.Network.OnSent = d => Assert.NotEqual(attacker, d.Way);
        pair.Intercept(d =>
        {
            // Each is there before the client's own, and each third one instead of it.
            if (d.From == EndpointRole.Client && traffic.BytesRead > 50_000)
            {
                forwarded++;
                pair.Network.Inject(EndpointRole.Server, attacker.Server, [.. d.Bytes], TimeSpan.FromMilliseconds(1));
                return forwarded % 3 == 0 ? Fate.Lose : Fate.None;
            }

            return Fate.None;
        });
        TransferTests.Finish(pair, traffic);
        Assert.True(forwarded > 50);
        Assert.Equal(direct.Server, pair.Server.Core.CurrentPath);
        ConnectionPath seen = PathOf(pair, EndpointRole.Server, attacker);
        Assert.Equal((0L, false), (seen.BytesSent, seen.IsValidated));
        Assert.NotEqual(long.MaxValue, seen.Allowance);
    });

    [Fact]
    public void Paths_that_were_only_seen_make_room_before_those_of_the_owner()
    {
        using Pair pair = WithRelay(1, out Way direct);
        UseBoth(pair, direct);
        pair.RunToIdle();
        Assert.True(pair.Server.Core.AbandonPath(pair.Now, direct.Server, pair.Way.Server));
        Way[] addresses = [.. Enumerable.Range(0, 30).Select(_ => MigrationTests.NewWay(pair, DirectRtt))];
        int forwarded = 0;
        pair.Intercept(d =>
        {
            if (d.From == EndpointRole.Client && forwarded < addresses.Length)
            {
                pair.Network.Inject(EndpointRole.Server, addresses[forwarded++].Server, [.. d.Bytes]);
            }

            return Fate.None;
        });
        Talk(pair, addresses.Length);
        Assert.Equal(addresses.Length, forwarded);
        Assert.Contains(pair.Server.Core.Paths, p => p.Id == direct.Server);
        Assert.InRange(pair.Server.Core.Paths.Count, 3, 8);
    }

    [Fact]
    public void What_the_relay_carries_already_takes_the_direct_path_as_well()
    {
        using Pair pair = WithRelay(1, out Way direct);
        pair.SetRtt(RelayRtt * 4).RunToIdle();
        direct.Both(link => link.Delay = DirectRtt / 2);
        Traffic traffic = Bulk(pair, 1, EndpointRole.Client, 3_000);
        TimeSpan start = pair.Now;
        pair.Run(TimeSpan.FromMilliseconds(1));
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, direct.Client));
        pair.RunUntil(() => traffic.BytesRead == 3_000);
        Assert.InRange(pair.Now - start, DirectRtt / 2, DirectRtt);
        pair.RunToIdle();
        Assert.Equal(0, pair.Client.Core.Counters.PacketsLost);
        Assert.All(pair.Client.Core.Paths, p => Assert.Equal(0, p.Recovery.CongestionEvents));
        TransferTests.Finish(pair, traffic);
    }

    // Both ways were dead for seconds, and the direct one is back first: what waits on the silent relay for its doubled timeout goes along.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Whoever_leaves_a_silent_path_takes_along_what_is_in_flight_there(bool isUpload) => Seeds.Run(10, seed =>
    {
        EndpointRole sender = isUpload ? EndpointRole.Client : EndpointRole.Server;
        using Pair pair = WithRelay(seed, out Way direct);
        Traffic traffic = Bulk(pair, seed, sender, 1_500_000);
        UseBoth(pair, direct);
        pair.RunUntil(() => traffic.BytesRead > 300_000);
        direct.Both(link => link.Loss = 1);
        pair.Way.Both(link => link.Loss = 1);
        pair.RunUntil(() => pair[sender].Has(ConnectionEventKind.PathSilent));
        Assert.True(pair[sender].Core.AbandonPath(pair.Now, direct.PathOf(sender), pair.Way.PathOf(sender)));
        pair.Run(TimeSpan.FromSeconds(5));
        direct.Both(link => link.Loss = 0);
        Assert.True(PathOf(pair, sender, pair.Way).Recovery.BytesInFlight > 0);
        Assert.True(pair[sender].Core.TryUsePath(pair.Now, direct.PathOf(sender)));
        Assert.Equal(0, PathOf(pair, sender, pair.Way).Recovery.BytesInFlight);
        (long before, TimeSpan back) = (traffic.BytesRead, pair.Now);
        pair.RunUntil(() => traffic.BytesRead > before);
        Assert.InRange(pair.Now - back, TimeSpan.Zero, DirectRtt * 3);
        TransferTests.Finish(pair, traffic);
    });

    [Fact]
    public void A_transfer_in_full_flight_is_not_copied()
    {
        using Pair pair = WithRelay(1, out Way direct);
        pair.RunToIdle();
        Traffic traffic = Bulk(pair, 1, EndpointRole.Client, 1_000_000);
        pair.RunUntil(() => traffic.BytesRead > 200_000);
        Assert.True(pair.Client.Core.GetStatistics().BytesInFlight > 20_000);
        UseBoth(pair, direct);
        TransferTests.Finish(pair, traffic);
        long sent = pair.Client.Core.Counters.BytesSent;

        // Copies on the relay until the direct path is validated are all that is sent twice.
        Assert.InRange(sent, 1_000_000, 1_150_000);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_kick_ends_the_pause_of_an_outage(bool isKicked)
    {
        using Pair pair = WithRelay(1, out Way direct);
        UseBoth(pair, direct);
        Traffic traffic = Bulk(pair, 1, EndpointRole.Client, 1_000_000);
        pair.RunUntil(() => traffic.BytesRead > 200_000);
        direct.Both(link => link.Loss = 1);
        pair.Run(TimeSpan.FromSeconds(10));
        direct.Both(link => link.Loss = 0);
        TimeSpan start = pair.Now;
        long before = traffic.BytesRead;
        if (isKicked)
        {
            Assert.True(pair.Client.Core.TryUsePath(pair.Now, direct.Client));
        }

        pair.RunUntil(() => traffic.BytesRead > before);
        if (isKicked)
        {
            // The first probe may hold what had arrived, its acknowledgement lost; what that asks for is a round trip behind it.
            Assert.InRange(pair.Now - start, DirectRtt / 2, DirectRtt * 2);
        }
        else
        {
            Assert.True(pair.Now - start > TimeSpan.FromSeconds(1), $"{pair.Now - start}: the pause is too short for the story");
        }

        TransferTests.Finish(pair, traffic);
    }

    [Fact]
    public void A_kick_with_nothing_in_flight_sends_nothing()
    {
        using Pair pair = WithRelay(1, out Way direct);
        UseBoth(pair, direct);
        pair.RunToIdle();
        int sent = pair.Network.SentBy(EndpointRole.Client);
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, direct.Client));
        pair.RunToIdle();
        Assert.Equal(sent, pair.Network.SentBy(EndpointRole.Client));
    }

    private static bool IsAck(TappedPacket packet) => packet.Contains(FrameType.Ack) || packet.Contains(FrameType.AckEcn);

    private static Pair WithRelay(int seed, out Way direct, bool tapped = false)
    {
        var pair = new Pair(seed, Nodes with { Tapped = tapped });
        pair.SetRtt(RelayRtt);
        direct = MigrationTests.NewWay(pair, DirectRtt).Both(link => (link.BitsPerSecond, link.QueueBytes) = (50_000_000, 1 << 20));
        return pair.Handshake();
    }

    private static Traffic Bulk(Pair pair, int seed, EndpointRole sender, int bytes) => sender == EndpointRole.Client
        ? new Traffic(pair, seed, TrafficPlan.Bulk(bytes), TrafficPlan.Silent)
        : new Traffic(pair, seed, TrafficPlan.Silent, TrafficPlan.Bulk(bytes));

    private static void UseBoth(Pair pair, Way way)
    {
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, way.Client));
        Assert.True(pair.Server.Core.TryUsePath(pair.Now, way.Server));
    }

    // The client says something ten times a second.
    private static void Talk(Pair pair, int count)
    {
        for (int i = 0; i < count; i++)
        {
            pair.Client.Core.Ping();
            pair.Run(TimeSpan.FromMilliseconds(100));
        }
    }

    private static List<ConnectionEvent> Moves(SimulatedPeer peer) => peer.Events.FindAll(e => e.Kind == ConnectionEventKind.PeerMoved);

    private static ConnectionPath PathOf(Pair pair, EndpointRole side, Way way) => pair[side].Core.Paths.Single(p => p.Id == way.PathOf(side));

    private static EndpointRole Other(EndpointRole side) => side == EndpointRole.Client ? EndpointRole.Server : EndpointRole.Client;
}
