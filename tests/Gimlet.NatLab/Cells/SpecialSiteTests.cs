using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Xunit;

namespace Gimlet.NatLab.Cells;

/// <summary>Two nodes behind one NAT, carriers' NATs, IPv6, and networks without UDP.</summary>
[Collection(nameof(CellLab))]
public sealed class SpecialSiteTests(CellLab lab, ITestOutputHelper output)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StandardLab.Household)]
    [InlineData(StandardLab.HairpinHousehold)]
    public async Task Two_nodes_on_one_LAN_use_the_LAN(string name)
    {
        var site = await lab.SiteAsync(name);
        var (cell, server) = ($"{name}: one > other", await lab.ServerAsync());
        var network = await lab.NetworkRoundTripAsync(site, site.Hosts[0], site, site.Hosts[1], Cancellation);

        await lab.RepeatAsync(cell, output, async run =>
        {
            var result = await Dial.ExpectDirectAsync(cell, run, server, site.Hosts[0], site.Hosts[1], network);
            // Where the NAT hairpins, its outside addresses work as well, only slower.
            Assert.StartsWith($"{site.Hosts[1].Address}:", result.Remote, StringComparison.Ordinal);
            return result;
        });
    }

    [Theory]
    // These LANs keep their hosts apart: only the way over the NAT's outside addresses is left.
    [InlineData(StandardLab.GuestWifi)]
    [InlineData(StandardLab.Carrier)]
    public async Task Two_nodes_behind_the_same_NAT_talk_directly(string name)
    {
        var site = await lab.SiteAsync(name);
        var (cell, server) = ($"{name}: one > other", await lab.ServerAsync());
        var network = await lab.NetworkRoundTripAsync(site, site.Hosts[0], site, site.Hosts[1], Cancellation);

        await lab.RepeatAsync(cell, output, run => Dial.ExpectDirectAsync(cell, run, server, site.Hosts[0], site.Hosts[1], network));
    }

    [Theory]
    [InlineData(NatKind.None)]
    [InlineData(NatKind.PortRestricted)]
    public async Task A_node_behind_a_carrier_calls_and_is_called(NatKind other)
    {
        var (carrier, far) = (await lab.SiteAsync(StandardLab.Carrier), await lab.SiteAsync(StandardLab.Right(other)));
        var server = await lab.ServerAsync();
        var network = await lab.NetworkRoundTripAsync(carrier, carrier.Host, far, far.Host, Cancellation);

        var calls = $"carrier > {other}";
        await lab.RepeatAsync(calls, output, run => Dial.ExpectDirectAsync(calls, run, server, carrier.Host, far.Host, network));
        var isCalled = $"{other} > carrier";
        await lab.RepeatAsync(isCalled, output, run => Dial.ExpectDirectAsync(isCalled, run, server, far.Host, carrier.Host, network));
    }

    [Theory]
    [InlineData(StandardLab.IPv6Left, StandardLab.IPv6Right)]
    [InlineData(StandardLab.IPv6FirewallLeft, StandardLab.IPv6FirewallRight)]
    public async Task Two_nodes_with_nothing_but_IPv6_talk_directly(string left, string right)
    {
        var (a, b) = (await lab.SiteAsync(left), await lab.SiteAsync(right));
        var (cell, server) = ($"IPv6 {a.Plan.Nat} > {b.Plan.Nat}", await lab.Server6Async());
        var network = await lab.NetworkRoundTripAsync(a, a.Host, b, b.Host, Cancellation);

        await lab.RepeatAsync(cell, output, run => Dial.ExpectDirectAsync(cell, run, server, a.Host, b.Host, network));
    }

    [Theory]
    [InlineData(NatKind.UdpBlocked, NatKind.None)]
    [InlineData(NatKind.PortRestricted, NatKind.UdpBlocked)]
    [InlineData(NatKind.UdpBlocked, NatKind.UdpBlocked)]
    public async Task Where_UDP_is_blocked_the_relay_carries_the_connection(NatKind caller, NatKind callee)
    {
        var (a, b) = (await lab.SiteAsync(StandardLab.Left(caller)), await lab.SiteAsync(StandardLab.Right(callee)));
        var (cell, server) = ($"{caller} > {callee}", await lab.ServerAsync());
        var network = await lab.NetworkRoundTripAsync(a, a.Host, b, b.Host, Cancellation);

        await lab.RepeatAsync(cell, output, run => Dial.ExpectRelayAsync(cell, run, server, a.Host, b.Host, network, "own-udp-blocked", "no-candidates", "nothing-got-through"));
    }
}
