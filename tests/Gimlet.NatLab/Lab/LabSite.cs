using System.Net;
using Gimlet.NatLab.Nats;

namespace Gimlet.NatLab.Lab;

/// <summary>A built site.</summary>
internal sealed class LabSite(SitePlan plan, SiteAddresses addresses, string edge, IReadOnlyList<LabHost> hosts, WireProcess wire)
{
    private const string CutTable = "cut";

    private readonly string _edge = edge;
    private int _generation;

    internal SitePlan Plan { get; } = plan;

    internal IReadOnlyList<LabHost> Hosts { get; } = hosts;

    /// <summary>The first host; most sites have no other.</summary>
    internal LabHost Host => Hosts[0];

    /// <summary>All addresses of the site that the internet can see.</summary>
    internal string PublicNetwork => addresses.PublicNetwork;

    /// <summary>The address that the internet sees, at this moment.</summary>
    internal IPAddress PublicAddress
        => Plan.Nat is NatKind.None or NatKind.Firewall ? addresses.PublicHost(0) : addresses.Outside(_generation);

    /// <summary>The edge router restarts: all mappings and flows are forgotten, ports are given out from elsewhere, and perhaps its provider gives it another address.</summary>
    internal async Task RebootNatAsync(bool changeAddress, CancellationToken cancellation)
    {
        _generation += changeAddress ? 1 : 2;
        // Off first: a flow that goes on while its mapping is forgotten would write the old one into the new maps (NatRules, chain remember).
        await RunRulesAsync(NatRules.Off, cancellation);
        await Command.RunAsync("ip", ["netns", "exec", _edge, "conntrack", "-F"], "", cancellation);
        await RunRulesAsync(NatRules.For(EdgeNat(Plan, addresses, _generation)), cancellation);
    }

    /// <summary>
    /// Drops UDP between this site and another one, in both directions and without a word, as a firewall or a broken route does. Everything else passes.
    /// Until <see cref="JoinAsync"/>.
    /// </summary>
    internal Task CutUdpAsync(LabSite other, CancellationToken cancellation)
    {
        var rules = $$"""
            table inet {{CutTable}} {
              chain pass {
                type filter hook forward priority filter; policy accept;
                oifname "wan" ip daddr {{other.PublicNetwork}} meta l4proto udp drop
                iifname "wan" ip saddr {{other.PublicNetwork}} meta l4proto udp drop
              }
            }
            """;
        return RunRulesAsync(rules, cancellation);
    }

    /// <summary>Undoes <see cref="CutUdpAsync"/>.</summary>
    internal Task JoinAsync(CancellationToken cancellation) => RunRulesAsync($"table inet {CutTable} {{}}\ndelete table inet {CutTable}", cancellation);

    /// <summary>
    /// The first host leaves the network it is in and joins the one behind <paramref name="to"/> (whose own host, if it has one, loses its place). The
    /// old address is gone before the new one is there, as when wifi ends and the mobile network takes over.
    /// </summary>
    internal Task MoveHostAsync(LabSite to, IPAddress address, CancellationToken cancellation)
    {
        var script = $"""
            ip -n {Host.Namespace} link del eth0
            ip -n {to._edge} link del lan 2>/dev/null || true
            ip link add lan netns {to._edge} type veth peer name eth0 netns {Host.Namespace}
            ip -n {to._edge} address add {SiteAddresses.HomeRouter}/24 dev lan
            ip -n {to._edge} link set lan up
            ip -n {Host.Namespace} link set eth0 up
            ip -n {Host.Namespace} address add {address}/24 dev eth0
            ip -n {Host.Namespace} route add default via {SiteAddresses.HomeRouter}
            """;
        return Command.RunAsync("sh", ["-e", "-s"], script + "\n", cancellation);
    }

    /// <summary>Changes the site's wire, e.g. <c>loss_ppm=100000</c>, <c>up=0</c>.</summary>
    internal Task SetWireAsync(string settings) => wire.SetAsync(Plan.Name, settings);

    /// <summary>Packets that left the site, and packets that came to it.</summary>
    internal async Task<(WireCount Left, WireCount Came)> CountAsync()
    {
        var (a, b) = await wire.CountAsync(Plan.Name);
        return (a, b);
    }

    /// <summary>The edge's translation after <paramref name="generation"/> changes of address (every second one is the first address again).</summary>
    internal static NatSettings EdgeNat(SitePlan plan, SiteAddresses addresses, int generation)
    {
        // Another range of ports for each site and each restart, anywhere from 20,000 up.
        var portBase = 20_000 + (((addresses.Index * 7) + (generation * 5)) % 44 * NatSettings.PortCount);
        return new NatSettings(plan.Nat, addresses.Outside(generation), plan.Hairpin, plan.MappingSeconds, portBase);
    }

    private Task RunRulesAsync(string rules, CancellationToken cancellation)
    {
        var script = new NamespaceScript(_edge);
        script.Rules(rules);
        return script.RunAsync(cancellation);
    }
}
