using Gimlet.Quic.Connections;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>The handshake under every accident: each single datagram, pairs of them, and networks that are bad all the time.</summary>
public sealed class LossyHandshakeTests
{
    private static readonly TimeSpan Rtt = TimeSpan.FromMilliseconds(40);

    // RFC 9002 section 6.2.2: the initial RTT of 333 ms makes the first PTO 999 ms.
    private static readonly TimeSpan OneProbeMore = TimeSpan.FromMilliseconds(1000) + (4 * Rtt);

    public static TheoryData<string, bool> Accidents
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (string verb in (string[])["lost", "duplicated", "late", "broken"])
            {
                data.Add(verb, false);
                data.Add(verb, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Accidents))]
    public void Any_single_datagram_may_be(string what, bool longChain)
    {
        foreach (EndpointRole side in Enum.GetValues<EndpointRole>())
        {
            for (int n = 0; n < CountOfCleanRun(side, longChain); n++)
            {
                using var pair = new Pair(n + 1, Options(longChain));
                Apply(pair, what, side, n);
                pair.SetRtt(Rtt);
                try
                {
                    pair.Handshake(OneProbeMore).RunToIdle();
                }
                catch (SimulationException e)
                {
                    throw new SimulationException($"{side} #{n} {what}: {e.Message}", e);
                }

                Assert.Null(pair.Client.Core.Closed);
                Assert.Null(pair.Server.Core.Closed);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Any_two_datagrams_may_be_lost(bool longChain)
    {
        int fromClient = CountOfCleanRun(EndpointRole.Client, longChain), all = fromClient + CountOfCleanRun(EndpointRole.Server, longChain);
        for (int a = 0; a < all; a++)
        {
            for (int b = a + 1; b < all; b++)
            {
                using var pair = new Pair(a + 1, Options(longChain));
                LoseNth(pair, a);
                LoseNth(pair, b);
                pair.SetRtt(Rtt);

                // Two probes in a row: one PTO, and twice that.
                pair.Handshake(3 * OneProbeMore);
            }
        }

        void LoseNth(Pair pair, int n) => _ = n < fromClient
            ? pair.LoseNth(EndpointRole.Client, n)
            : pair.LoseNth(EndpointRole.Server, n - fromClient);
    }

    [Fact]
    public void Every_packet_type_may_be_lost_for_a_while()
    {
        foreach (PacketType type in (PacketType[])[PacketType.Initial, PacketType.Handshake, PacketType.OneRtt])
        {
            foreach (EndpointRole side in Enum.GetValues<EndpointRole>())
            {
                using var pair = new Pair(7, Options(longChain: true));
                pair.Lose(type, count: 4, side);
                pair.Handshake();
            }
        }
    }

    [Fact]
    public void Thirty_percent_loss_is_survived()
    {
        var times = new List<TimeSpan>();
        Seeds.Run(400, seed =>
        {
            using var pair = new Pair(seed, Options(longChain: seed % 4 == 0));
            pair.SetRtt(Rtt).SetLoss(30);
            pair.Handshake();
            times.Add(pair.Now);
        });
        times.Sort();

        // Two probes in the middle; a handshake that waits for nothing but probes would take 7 s.
        Assert.InRange(times[times.Count / 2], Rtt, TimeSpan.FromSeconds(4));
    }

    [Fact]
    public void A_network_that_does_everything_wrong_is_survived() => Seeds.Run(400, seed =>
    {
        var random = new Random(seed);
        using var pair = new Pair(seed, Options(longChain: random.Next(2) == 0) with { Retry = random.Next(4) == 0 });
        pair.SetRtt(TimeSpan.FromMilliseconds(random.Next(1, 400)))
            .SetLoss(random.Next(20))
            .Reorder(random.Next(40), TimeSpan.FromMilliseconds(random.Next(1, 200)))
            .Duplicate(random.Next(30))
            .Corrupt(random.Next(15));
        pair.Handshake();
    });

    // RFC 9002 section 6.2.2.1: "Since the server could be blocked until more datagrams are received from the client, it is the client's
    // responsibility to send packets to unblock the server until it is certain that the server has finished its address validation".
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void A_server_that_may_send_no_more_is_freed_by_the_client(int lost)
    {
        using var pair = new Pair(3, Options(longChain: true));
        pair.SetRtt(Rtt);
        for (int n = 1; n <= lost; n++)
        {
            pair.LoseNth(EndpointRole.Client, n);
        }

        pair.Handshake(TimeSpan.FromSeconds(8));
    }

    // The same, where the client has nothing in flight: it saw the acknowledgement of its Initial, but no key of the handshake.
    [Fact]
    public void A_client_with_nothing_in_flight_probes_all_the_same()
    {
        using var pair = new Pair(3, Options(longChain: true));
        pair.SetRtt(Rtt);
        pair.Intercept(d => d.From == EndpointRole.Server && d.Contains(PacketType.Handshake) && d.SentAt < TimeSpan.FromSeconds(1)
            ? Fate.Lose
            : Fate.None);
        pair.Handshake(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_client_that_hears_nothing_gives_up_in_time()
    {
        using var pair = new Pair();
        pair.SetLoss(100);
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Closed));
        Assert.Equal(CloseKind.HandshakeTimeout, pair.Client.Closed.Kind);
        Assert.Equal(pair.Options.Client.HandshakeTimeout, pair.Now);

        // 0, 1, 3 and 7 s; a PTO sends two datagrams at most (RFC 9002 section 6.2.4).
        Assert.InRange(pair.Network.SentBy(EndpointRole.Client), 4, 8);
    }

    [Fact]
    public void A_server_whose_client_vanished_gives_up_in_time_and_is_forgotten()
    {
        using var pair = new Pair();
        pair.Intercept(d => d.From == EndpointRole.Client && d.Index > 0 ? Fate.Lose : Fate.None);
        pair.RunUntil(() => pair.Server.Has(ConnectionEventKind.Drained));
        Assert.Equal(CloseKind.HandshakeTimeout, pair.Server.Closed.Kind);
        Assert.Null(pair.Server.NextTimeout);
    }

    private static PairOptions Options(bool longChain) => HandshakeTests.Patient(
        longChain ? new PairOptions { ServerTls = HandshakeTests.LongChain(6) } : new PairOptions());

    private static int CountOfCleanRun(EndpointRole side, bool longChain)
    {
        using var pair = new Pair(1, Options(longChain));
        pair.Handshake().RunToIdle();
        return pair.Network.SentBy(side);
    }

    private static void Apply(Pair pair, string what, EndpointRole side, int n) => _ = what switch
    {
        "lost" => pair.LoseNth(side, n),
        "duplicated" => pair.DuplicateNth(side, n),
        "broken" => pair.CorruptNth(side, n),
        _ => pair.DelayNth(side, n, 1.25 * Rtt),
    };
}
