using Gimlet.Quic.Connections;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>How connections end: idle, closed, with the close lost, forgotten by the peer (RFC 9000 section 10).</summary>
public sealed class ClosingTests
{
    private static readonly TimeSpan Rtt = TimeSpan.FromMilliseconds(40);

    [Fact]
    public void An_idle_connection_ends_silently_on_both_sides()
    {
        using var pair = new Pair();
        pair.Handshake().RunToIdle();
        int sent = Sent(pair);
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Drained) && pair.Server.Has(ConnectionEventKind.Drained));
        Assert.Equal((CloseKind.IdleTimeout, CloseKind.IdleTimeout), (pair.Client.Closed.Kind, pair.Server.Closed.Kind));
        Assert.InRange(pair.Now, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(31));
        Assert.Equal(sent, Sent(pair));
        Assert.Equal((null, null), (pair.Client.NextTimeout, pair.Server.NextTimeout));
        Assert.Equal(0, pair.Client.Routes.ActiveCount);
    }

    [Fact]
    public void The_shorter_idle_timeout_counts()
    {
        PairOptions options = new();
        options = options with { Server = options.Server with { IdleTimeout = TimeSpan.FromSeconds(5) } };
        using var pair = new Pair(options: options);
        pair.Handshake().RunToIdle();
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Closed) && pair.Server.Has(ConnectionEventKind.Closed));
        Assert.InRange(pair.Now, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(6));
    }

    [Fact]
    public void Without_an_idle_timeout_nothing_happens_in_an_hour()
    {
        using var pair = new Pair(options: new PairOptions().With(s => s with { IdleTimeout = TimeSpan.Zero }));
        pair.Handshake().RunToIdle();
        int sent = Sent(pair);
        int timeouts = pair.Network.Timeouts.Sum();
        pair.Run(TimeSpan.FromHours(1));
        Assert.Null(pair.Client.Core.Closed);
        Assert.Equal(sent, Sent(pair));
        Assert.InRange(pair.Network.Timeouts.Sum() - timeouts, 0, 10);
    }

    [Fact]
    public void A_keep_alive_keeps_it_alive_at_its_price()
    {
        using var pair = new Pair(options: new PairOptions().With(s => s with { KeepAlive = TimeSpan.FromSeconds(10) }));
        pair.Handshake().RunToIdle();
        int sent = Sent(pair);
        pair.Run(TimeSpan.FromMinutes(10));
        Assert.Null(pair.Client.Core.Closed);
        Assert.Null(pair.Server.Core.Closed);

        // A PING and its acknowledgement each ten seconds: 60 of them, from both sides at worst.
        Assert.InRange(Sent(pair) - sent, 110, 260);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_close_tells_the_peer_code_and_reason(bool fromServer)
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt);
        pair.Handshake().RunToIdle();
        SimulatedPeer closer = fromServer ? pair.Server : pair.Client, other = fromServer ? pair.Client : pair.Server;
        TimeSpan start = pair.Now;
        closer.Core.Close(pair.Now, 42, "done");
        pair.RunUntil(() => other.Has(ConnectionEventKind.Closed));
        Assert.Equal(start + (Rtt / 2), pair.Now);
        Assert.Equal((CloseKind.PeerApplication, 42L, "done"), (other.Closed.Kind, other.Closed.Code, other.Closed.Reason));
        Assert.Equal((CloseKind.LocalApplication, 42L, "done"), (closer.Closed.Kind, closer.Closed.Code, closer.Closed.Reason));

        // RFC 9000 section 10.2: three PTOs later all is forgotten.
        pair.RunUntil(() => closer.Has(ConnectionEventKind.Drained) && other.Has(ConnectionEventKind.Drained), TimeSpan.FromSeconds(5));
        Assert.Equal((0, 0), (closer.Routes.ActiveCount, other.Routes.ActiveCount));
        Assert.Equal((0, 0), (closer.Routes.ResetTokenCount, other.Routes.ResetTokenCount));
    }

    // RFC 9000 section 10.2.3: the code of the application stays hidden until the peer is known.
    [Fact]
    public void A_close_during_the_handshake_does_not_show_the_applications_code()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt).Intercept(d => d.From == EndpointRole.Client && d.Contains(PacketType.Handshake) ? Fate.Delay(Rtt) : Fate.None);
        pair.RunUntil(() => pair.Server.Connection is not null);
        pair.Server.Core.Close(pair.Now, 42, "secret");
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Closed));
        Assert.Equal(CloseKind.PeerTransport, pair.Client.Closed.Kind);
        Assert.Equal((long)TransportErrorCode.ApplicationError, pair.Client.Closed.Code);
        Assert.Empty(pair.Client.Closed.Reason);
    }

    [Fact]
    public void A_client_that_closes_at_once_is_heard()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt);
        pair.Network.Flush();
        pair.Client.Core.Close(pair.Now, 1, "changed my mind");
        pair.RunUntil(() => pair.Server.Has(ConnectionEventKind.Closed) && pair.Client.Has(ConnectionEventKind.Drained));
        Assert.Equal((CloseKind.PeerTransport, (long)TransportErrorCode.ApplicationError), (pair.Server.Closed.Kind, pair.Server.Closed.Code));
    }

    // RFC 9000 section 10.2.1: a packet for the closing connection is answered with the close again.
    [Fact]
    public void A_lost_close_is_told_again_to_a_peer_that_goes_on()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(2_000_000));
        pair.Handshake().RunUntil(() => traffic.BytesRead > 100_000);
        pair.Client.Core.Close(pair.Now, 9, string.Empty);
        pair.LoseNth(EndpointRole.Client, pair.Network.SentBy(EndpointRole.Client));
        pair.RunUntil(() => pair.Server.Has(ConnectionEventKind.Closed), TimeSpan.FromSeconds(2));
        Assert.Equal((CloseKind.PeerApplication, 9L), (pair.Server.Closed.Kind, pair.Server.Closed.Code));
    }

    [Fact]
    public void A_peer_that_never_hears_of_the_close_ends_by_its_idle_timeout()
    {
        using var pair = new Pair();
        pair.Handshake().RunToIdle();
        pair.Client.Core.Close(pair.Now, 9, string.Empty);
        pair.SetLoss(100);
        pair.RunUntil(() => pair.Server.Has(ConnectionEventKind.Drained));
        Assert.Equal(CloseKind.IdleTimeout, pair.Server.Closed.Kind);
        Assert.True(pair.Client.Has(ConnectionEventKind.Drained));
    }

    [Fact]
    public void Both_may_close_at_once()
    {
        using var pair = new Pair();
        pair.Handshake().RunToIdle();
        pair.Client.Core.Close(pair.Now, 1, string.Empty);
        pair.Server.Core.Close(pair.Now, 2, string.Empty);
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Drained) && pair.Server.Has(ConnectionEventKind.Drained), TimeSpan.FromSeconds(5));
        Assert.Equal(1, pair.Client.Count(ConnectionEventKind.Closed));
        Assert.Equal((1L, 2L), (pair.Client.Closed.Code, pair.Server.Closed.Code));
    }

    [Fact]
    public void A_stateless_reset_ends_the_connection_of_a_peer_that_was_forgotten()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt);
        pair.Handshake().RunToIdle();
        pair.Server.Forget();
        pair.Client.Core.Ping();
        TimeSpan start = pair.Now;
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Closed));
        Assert.Equal(CloseKind.StatelessReset, pair.Client.Closed.Kind);
        Assert.Equal(start + Rtt, pair.Now);
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Drained));
    }

    [Fact]
    public void What_looks_like_a_stateless_reset_but_has_another_token_is_nothing()
    {
        using var pair = new Pair();
        pair.Handshake().RunToIdle();
        byte[] forged = new byte[60];
        new Random(1).NextBytes(forged);
        forged[0] = 0x41;
        pair.Network.Inject(EndpointRole.Client, pair.Way.Client, forged);
        pair.RunToIdle();
        Assert.Null(pair.Client.Core.Closed);
    }

    [Fact]
    public void A_dead_link_ends_by_the_idle_timeout_after_a_bounded_number_of_probes()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(5_000_000), TrafficPlan.Silent);
        pair.Handshake().RunUntil(() => traffic.BytesRead > 100_000);
        pair.SetLoss(100);
        pair.Run(TimeSpan.FromMilliseconds(1));
        TimeSpan start = pair.Now;
        int before = pair.Network.SentBy(EndpointRole.Client);
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Closed));
        Assert.Equal(CloseKind.IdleTimeout, pair.Client.Closed.Kind);
        Assert.InRange(pair.Now - start, TimeSpan.FromSeconds(29), TimeSpan.FromSeconds(60));

        // The window goes out at once; then two datagrams for each PTO, which doubles from about 70 ms: nine in 30 s.
        Assert.InRange(pair.Network.SentBy(EndpointRole.Client) - before, 2, 250);
    }

    private static int Sent(Pair pair) => pair.Network.SentBy(EndpointRole.Client) + pair.Network.SentBy(EndpointRole.Server);
}
