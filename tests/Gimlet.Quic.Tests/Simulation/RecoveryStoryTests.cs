using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>What loss detection and congestion control do to a connection as a whole: goodput, acknowledgements, probes, silence.</summary>
public sealed class RecoveryStoryTests
{
    private static readonly TimeSpan Rtt = TimeSpan.FromMilliseconds(40);

    [Fact]
    public void A_clean_link_is_filled()
    {
        // 10 Mbit/s and 40 ms hold 50 KB; the queue as much again.
        (double goodput, double lost) = Download(seed: 1, bitsPerSecond: 10_000_000, queueBytes: 50_000, loss: 0, bytes: 10_000_000);
        Assert.InRange(goodput / 10e6, 0.85, 1);
        Assert.InRange(lost, 0, 0.05);
    }

    // CUBIC in its Reno-friendly region: 1.22 * MSS / (RTT * sqrt(p)) = 1.22 * 1452 B / (40 ms * 0.1) = 3.5 Mbit/s; with CUBIC's factor 0.7 a bit more.
    [Fact]
    public void One_percent_of_loss_costs_what_the_formula_says()
    {
        var all = new List<double>();
        Seeds.Run(5, seed => all.Add(Download(seed, bitsPerSecond: 10_000_000, queueBytes: 50_000, loss: 0.01, bytes: 3_000_000).Goodput));
        Assert.InRange(all.Average() / 3.5e6, 0.6, 2.9);
    }

    [Fact]
    public void A_short_queue_is_not_flooded()
    {
        (double goodput, double lost) = Download(seed: 1, bitsPerSecond: 20_000_000, queueBytes: 15_000, loss: 0, bytes: 5_000_000);
        Assert.InRange(goodput / 20e6, 0.5, 1);
        Assert.InRange(lost, 0, 0.03);
    }

    [Fact]
    public void A_link_that_marks_instead_of_dropping_loses_nothing()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt).SetRate(20_000_000, queueBytes: 1 << 20);
        pair.Way.Up.Marking = 0.002;
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(3_000_000), TrafficPlan.Silent);
        TransferTests.Finish(pair, traffic);
        Assert.Equal(0, pair.Client.Core.Counters.PacketsLost);
        Assert.True(pair.Client.Core.GetStatistics().EcnCapable);

        // Without the marks a megabyte would wait in the queue.
        Assert.InRange(pair.Client.Core.GetStatistics().CongestionWindow, 2400, 1_000_000);
    }

    [Fact]
    public void Reordering_is_told_from_loss_after_a_while()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt).SetRate(20_000_000).Reorder(20, Rtt / 4);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(3_000_000), TrafficPlan.Silent);
        TransferTests.Finish(pair, traffic);
        double goodput = 3_000_000 * 8 / pair.Now.TotalSeconds;
        Assert.InRange(goodput / 20e6, 0.4, 1);
    }

    // RFC 9000 section 13.2.2: an acknowledgement at least every second ack-eliciting packet; not more often on a good link either.
    [Fact]
    public void Acknowledgements_are_one_for_two_packets_at_most()
    {
        using var pair = new Pair(options: new PairOptions { Tapped = true });
        pair.SetRtt(Rtt).SetRate(50_000_000, queueBytes: 1 << 20);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(1_000_000), TrafficPlan.Silent);
        TransferTests.Finish(pair, traffic);
        int data = pair.Tap!.From(EndpointRole.Client).Count(p => p.Contains(FrameType.Stream));
        int acks = pair.Tap.From(EndpointRole.Server).Count(p => p.Contains(FrameType.Ack) || p.Contains(FrameType.AckEcn));
        Assert.InRange(acks, data / 20, (data / 2) + 30);
    }

    [Fact]
    public void One_lonely_packet_is_acknowledged_within_max_ack_delay()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt);
        pair.Handshake().RunToIdle();
        int sent = pair.Network.SentBy(EndpointRole.Server);
        TimeSpan start = pair.Now;
        pair.Client.Core.Ping();
        pair.RunUntil(() => pair.Network.SentBy(EndpointRole.Server) > sent);
        Assert.InRange(pair.Now - start, Rtt / 2, (Rtt / 2) + TimeSpan.FromMilliseconds(25));
    }

    // RFC 9002 section 6.2: a lost tail comes back after one PTO.
    [Fact]
    public void A_lost_tail_comes_back_after_one_probe_timeout()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt);
        pair.Handshake().RunToIdle();
        TimeSpan start = pair.Now;
        pair.LoseNth(EndpointRole.Client, pair.Network.SentBy(EndpointRole.Client));
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(500), TrafficPlan.Silent);
        pair.RunUntil(() => traffic.BytesRead == 500);
        Assert.InRange(pair.Now - start, Rtt, Rtt * 4.5);
    }

    [Fact]
    public void A_dead_link_gets_ever_fewer_probes_and_comes_back_to_life()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt).SetRate(10_000_000);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(1_000_000), TrafficPlan.Silent);
        pair.Handshake().RunUntil(() => traffic.BytesRead > 200_000);
        pair.BlackHole(TimeSpan.FromSeconds(8));
        int before = pair.Network.SentBy(EndpointRole.Client);
        pair.Run(TimeSpan.FromSeconds(8));

        // The window, and two for each PTO: seven or eight of them.
        Assert.InRange(pair.Network.SentBy(EndpointRole.Client) - before, 4, 150);
        TimeSpan start = pair.Now;
        TransferTests.Finish(pair, traffic);
        Assert.InRange(pair.Now - start, TimeSpan.Zero, TimeSpan.FromSeconds(12));
    }

    [Fact]
    public void Two_paths_are_measured_apart()
    {
        using var pair = new Pair(options: new PairOptions().With(s => s with { GimletPaths = true }));
        pair.SetRtt(Rtt).SetRate(20_000_000);
        Way bad = MigrationTests.NewWay(pair, Rtt * 3).Both(link => (link.BitsPerSecond, link.Loss) = (20_000_000, 0.1));
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(3_000_000), TrafficPlan.Silent);
        pair.Handshake().RunUntil(() => traffic.BytesRead > 700_000);
        long window = pair.Client.Core.GetStatistics().CongestionWindow;
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, bad.Client));
        Assert.True(pair.Server.Core.TryUsePath(pair.Now, bad.Server));
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.PathValidated)).Run(TimeSpan.FromSeconds(1));
        Assert.InRange(pair.Client.Core.GetStatistics().Rtt, Rtt * 2.5, Rtt * 6);
        Assert.True(pair.Client.Core.TryUsePath(pair.Now, pair.Way.Client));
        Assert.InRange(pair.Client.Core.GetStatistics().CongestionWindow, window / 2, long.MaxValue);
        TransferTests.Finish(pair, traffic);
    }

    [Fact]
    public void A_connection_that_is_done_rests()
    {
        using var pair = new Pair(options: new PairOptions().With(s => s with { IdleTimeout = TimeSpan.Zero }));
        pair.SetRtt(Rtt).SetLoss(5);
        var traffic = new Traffic(pair, 1, new TrafficPlan { Streams = 10, Bytes = 50_000, Resets = 0.2, Stops = 0.2, Datagrams = 20 });
        TransferTests.Finish(pair, traffic);
        pair.SetLoss(0).Run(TimeSpan.FromMinutes(1));
        int sent = pair.Network.SentBy(EndpointRole.Client) + pair.Network.SentBy(EndpointRole.Server);
        int timeouts = pair.Network.Timeouts.Sum();
        pair.Run(TimeSpan.FromMinutes(9));
        Assert.Equal(sent, pair.Network.SentBy(EndpointRole.Client) + pair.Network.SentBy(EndpointRole.Server));
        Assert.InRange(pair.Network.Timeouts.Sum() - timeouts, 0, 10);
    }

    private static (double Goodput, double Lost) Download(int seed, long bitsPerSecond, int queueBytes, double loss, int bytes)
    {
        using var pair = new Pair(seed);
        pair.SetRtt(Rtt).SetRate(bitsPerSecond, queueBytes).SetLoss(loss * 100);
        var traffic = new Traffic(pair, seed, TrafficPlan.Silent, TrafficPlan.Bulk(bytes));
        pair.Handshake();
        TimeSpan start = pair.Now;
        pair.RunUntil(() => traffic.BytesRead == bytes, TimeSpan.FromMinutes(10), "the download");
        ConnectionCounters counters = pair.Server.Core.Counters;
        return (bytes * 8 / (pair.Now - start).TotalSeconds, (double)counters.PacketsLost / counters.PacketsSent);
    }
}
