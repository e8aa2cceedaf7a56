using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>Networks that do to ECN what real ones do (RFC 9000 section 13.4).</summary>
public sealed class EcnTests
{
    private static readonly TimeSpan Rtt = TimeSpan.FromMilliseconds(40);

    [Fact]
    public void A_network_that_takes_the_marks_away_is_found_out()
    {
        using var pair = Run(d =>
        {
            d.Ecn = EcnCodepoint.NotEct;
            return Fate.None;
        });
        Assert.False(pair.Client.Core.GetStatistics().EcnCapable);
        Assert.False(pair.Server.Core.GetStatistics().EcnCapable);
    }

    [Fact]
    public void A_network_that_makes_ect1_of_ect0_is_found_out()
    {
        using var pair = Run(d =>
        {
            d.Ecn = d.Ecn == EcnCodepoint.Ect0 ? EcnCodepoint.Ect1 : d.Ecn;
            return Fate.None;
        });
        Assert.False(pair.Client.Core.GetStatistics().EcnCapable);
    }

    [Fact]
    public void A_network_that_drops_what_is_marked_is_survived()
    {
        using var pair = Run(d => d.Ecn == EcnCodepoint.NotEct ? Fate.None : Fate.Lose);
        Assert.False(pair.Client.Core.GetStatistics().EcnCapable);
        Assert.InRange(pair.Now, TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void A_network_that_marks_everything_is_slow_and_no_worse()
    {
        using var pair = Run(d =>
        {
            d.Ecn = d.Ecn == EcnCodepoint.Ect0 ? EcnCodepoint.CongestionExperienced : d.Ecn;
            return Fate.None;
        });
        Assert.InRange(pair.Now, TimeSpan.Zero, TimeSpan.FromSeconds(60));
    }

    private static Pair Run(Func<SimulatedDatagram, Fate> network)
    {
        var pair = new Pair();
        pair.SetRtt(Rtt).SetRate(20_000_000).Intercept(network);
        var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(300_000));
        TransferTests.Finish(pair, traffic);
        return pair;
    }
}
