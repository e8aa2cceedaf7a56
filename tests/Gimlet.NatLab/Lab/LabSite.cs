using System.Net;
using Gimlet.NatLab.Nats;

namespace Gimlet.NatLab.Lab;

/// <summary>A built site.</summary>
internal sealed class LabSite(SitePlan plan, SiteAddresses addresses, string edge, IReadOnlyList<LabHost> hosts, WireProcess wire)
{
    private int _generation;

    internal SitePlan Plan { get; } = plan;

    internal IReadOnlyList<LabHost> Hosts { get; } = hosts;

    /// <summary>The first host; most sites have no other.</summary>
    internal LabHost Host => Hosts[0];

    /// <summary>The address that the internet sees, at this moment.</summary>
    internal IPAddress PublicAddress
        => Plan.Nat is NatKind.None or NatKind.Firewall ? addresses.PublicHost(0) : addresses.Outside(_generation);

    /// <summary>The edge router restarts: all mappings and flows are forgotten, ports are given out from elsewhere, and perhaps its provider gives it another address.</summary>
    internal async Task RebootNatAsync(bool changeAddress, CancellationToken cancellation)
    {
        _generation += changeAddress ? 1 : 2;
        var script = new NamespaceScript(edge);
        script.Rules(NatRules.For(EdgeNat(Plan, addresses, _generation)));
        await script.RunAsync(cancellation);
        await Command.RunAsync("ip", ["netns", "exec", edge, "conntrack", "-F"], "", cancellation);
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
}
