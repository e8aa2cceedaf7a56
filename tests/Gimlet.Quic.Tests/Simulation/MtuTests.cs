using Gimlet.Quic.Connections;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>The size of datagrams: growth to what the link carries, and the way back (RFC 9000 section 14, RFC 8899).</summary>
public sealed class MtuTests
{
    private static readonly TimeSpan Rtt = TimeSpan.FromMilliseconds(40);

    [Theory]
    [InlineData(1200, 1200, 1200)]
    [InlineData(1280, 1240, 1280)]
    [InlineData(1400, 1360, 1400)]
    [InlineData(1472, 1452, 1452)]
    [InlineData(9000, 1452, 1452)]
    public void Datagrams_grow_to_what_the_link_carries(int link, int least, int most)
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt).ChangeMtu(link);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(1_000_000));
        TransferTests.Finish(pair, traffic);
        pair.Run(TimeSpan.FromSeconds(5));
        Assert.InRange(pair.Client.Core.GetStatistics().UdpPayload, least, most);
        Assert.InRange(pair.Server.Core.GetStatistics().UdpPayload, least, most);

        // RFC 9000 section 14.4: the loss of a probe says nothing of congestion, and no data was in it.
        Assert.True(traffic.IsDone);
    }

    [Fact]
    public void A_link_that_carries_jumbo_datagrams_is_used_where_both_allow_it()
    {
        using var pair = new Pair(options: new PairOptions().With(s => s with { MaxUdpPayload = 8900 }));
        pair.SetRtt(Rtt).ChangeMtu(8950);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(3_000_000));
        TransferTests.Finish(pair, traffic);
        pair.Run(TimeSpan.FromSeconds(10));
        Assert.InRange(pair.Client.Core.GetStatistics().UdpPayload, 8000, 8900);
    }

    // RFC 8899 section 4.3: a black hole.
    [Fact]
    public void A_link_that_becomes_narrower_in_the_middle_is_survived() => Seeds.Run(10, seed =>
    {
        using var pair = new Pair(seed);
        pair.SetRtt(Rtt).SetRate(20_000_000);
        var traffic = new Traffic(pair, seed, TrafficPlan.Bulk(1_000_000));
        pair.Handshake().RunUntil(() => traffic.BytesRead > 500_000);
        Assert.InRange(pair.Client.Core.GetStatistics().UdpPayload, 1300, 1452);
        TimeSpan start = pair.Now;
        pair.ChangeMtu(1250);
        TransferTests.Finish(pair, traffic);
        Assert.InRange(pair.Client.Core.GetStatistics().UdpPayload, 1200, 1250);
        Assert.InRange(pair.Now - start, TimeSpan.Zero, TimeSpan.FromSeconds(6));
    });

    // RFC 9000 section 14: no QUIC on a path that does not carry 1200 bytes.
    [Fact]
    public void A_link_below_1200_bytes_never_completes_a_handshake()
    {
        using var pair = new Pair();
        pair.ChangeMtu(1199);
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Closed));
        Assert.Equal(CloseKind.HandshakeTimeout, pair.Client.Closed.Kind);
        Assert.Null(pair.Server.Connection);
    }

    [Fact]
    public void An_idle_connection_stops_probing()
    {
        using var pair = new Pair(options: new PairOptions().With(s => s with { IdleTimeout = TimeSpan.Zero }));
        pair.SetRtt(Rtt).ChangeMtu(1300);
        pair.Handshake().Run(TimeSpan.FromSeconds(30));
        int before = pair.Network.SentBy(EndpointRole.Client) + pair.Network.SentBy(EndpointRole.Server);
        int timeouts = pair.Network.Timeouts.Sum();
        pair.Run(TimeSpan.FromHours(1));

        // RFC 8899 section 5.1.1: PMTU_RAISE_TIMER is 600 s; whether idle connections search again is ours to decide, but not more often than that.
        Assert.InRange(pair.Network.SentBy(EndpointRole.Client) + pair.Network.SentBy(EndpointRole.Server) - before, 0, 6 * 150);
        Assert.InRange(pair.Network.Timeouts.Sum() - timeouts, 0, 6 * 150);
    }
}
