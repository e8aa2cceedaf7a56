using Gimlet.Quic.Connections;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>Key updates in the middle of transfers (RFC 9001 section 6).</summary>
public sealed class KeyUpdateStoryTests
{
    private static readonly TimeSpan Rtt = TimeSpan.FromMilliseconds(40);

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Either_side_or_both_at_once_update_while_packets_are_under_way(bool client, bool server) => Seeds.Run(20, seed =>
    {
        using var pair = new Pair(seed, new PairOptions { Tapped = true });
        pair.SetRtt(Rtt).SetLoss(seed % 3).Reorder(20, Rtt / 2).SetRate(20_000_000);
        var traffic = new Traffic(pair, seed, TrafficPlan.Bulk(300_000));
        pair.Handshake().RunUntil(() => traffic.BytesRead > 100_000);
        Assert.True(!client || pair.Client.Core.TryUpdateKeys());
        Assert.True(!server || pair.Server.Core.TryUpdateKeys());
        TransferTests.Finish(pair, traffic);
        pair.RunToIdle();
        Assert.Equal((1, 1), (Generation(pair, EndpointRole.Client), Generation(pair, EndpointRole.Server)));
        Assert.Equal(0, pair.Tap!.Unreadable);
    });

    // RFC 9001 section 6.1: not before confirmation, and not twice without an acknowledgement.
    [Fact]
    public void Updates_are_refused_before_they_are_permitted()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt);
        pair.RunUntil(() => pair.Client.IsConnected);
        Assert.False(pair.Client.Core.TryUpdateKeys());
        pair.Handshake().RunToIdle();
        Assert.True(pair.Client.Core.TryUpdateKeys());
        Assert.False(pair.Client.Core.TryUpdateKeys());
    }

    [Fact]
    public void Many_updates_in_one_transfer()
    {
        using var pair = new Pair(options: new PairOptions { Tapped = true });
        pair.SetRtt(Rtt).SetRate(5_000_000).Reorder(10, Rtt / 4);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(2_000_000));
        pair.Handshake();
        int updates = 0;
        while (!traffic.IsDone)
        {
            pair.Run(TimeSpan.FromMilliseconds(100));
            updates += pair[updates % 2 == 0 ? EndpointRole.Client : EndpointRole.Server].Core.TryUpdateKeys() ? 1 : 0;
            Assert.True(pair.Now < TimeSpan.FromMinutes(1));
        }

        TransferTests.Finish(pair, traffic);
        Assert.InRange(updates, 5, 100);

        // Where both begin at once it is one update for both.
        Assert.InRange(Generation(pair, EndpointRole.Client), updates / 2, updates);
        Assert.Equal(0, pair.Tap!.Unreadable);
    }

    // RFC 9001 section 6.6.
    [Fact]
    public void Keys_that_are_used_up_are_updated_by_themselves()
    {
        using var pair = new Pair(options: new PairOptions { Tapped = true }.With(s => s with { AeadLimits = new AeadLimits(500, 1L << 52) }));
        pair.SetRtt(Rtt / 4).SetRate(3_000_000, queueBytes: 5000);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(1_500_000));
        TransferTests.Finish(pair, traffic);
        Assert.InRange(Generation(pair, EndpointRole.Client), 3, 20);
    }

    [Fact]
    public void A_connection_that_sees_too_many_forgeries_closes()
    {
        using var pair = new Pair(options: new PairOptions().With(s => s with { AeadLimits = new AeadLimits(1L << 23, 20) }));
        pair.Handshake().RunToIdle();
        byte[]? packet = null;
        pair.Intercept(d =>
        {
            packet ??= [.. d.Bytes];
            return Fate.None;
        });
        pair.Client.Core.Ping();
        pair.RunToIdle();
        for (int i = 0; i < 20; i++)
        {
            byte[] forged = [.. packet!];
            forged[^1] ^= (byte)(i + 1);
            pair.Network.Inject(EndpointRole.Server, pair.Way.Server, forged);
        }

        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Closed));
        Assert.Equal((long)TransportErrorCode.AeadLimitReached, pair.Client.Closed.Code);
    }

    private static int Generation(Pair pair, EndpointRole side) => pair.Tap!.From(side).Max(p => p.KeyPhase);
}
