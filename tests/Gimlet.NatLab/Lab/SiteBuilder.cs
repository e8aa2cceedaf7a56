using System.Net;
using Gimlet.NatLab.Nats;

namespace Gimlet.NatLab.Lab;

/// <summary>Turns a <see cref="SitePlan"/> into namespaces, links and scripts. It only writes them down; <see cref="LabNetwork"/> runs them.</summary>
internal sealed class SiteBuilder
{
    private const string Default6 = "::/0";
    private readonly SitePlan _plan;
    private readonly SiteAddresses _addresses;
    private readonly List<LabHost> _hosts = [];

    internal SiteBuilder(string prefix, SitePlan plan, int index)
    {
        _plan = plan;
        _addresses = new SiteAddresses(index);
        Edge = $"{prefix}{plan.Name}-edge";
        Namespaces.Add(Edge);
        AddEdge();
        for (var host = 0; host < plan.Hosts; host++)
        {
            AddHost($"{prefix}{plan.Name}-host{host}", $"{prefix}{plan.Name}-home{host}", host);
        }
    }

    /// <summary>The namespace of the edge router.</summary>
    internal string Edge { get; }

    /// <summary>The device at the core's end of the wire: at most 15 characters.</summary>
    internal string CoreDevice => $"site{_addresses.Index}";

    internal string WanDevice => "wan";

    internal List<string> Namespaces { get; } = [];

    /// <summary>Lines for <c>ip -batch</c>, outside all namespaces: each link is created where it belongs.</summary>
    internal List<string> Links { get; } = [];

    internal List<NamespaceScript> Scripts { get; } = [];

    internal void AddCoreRoutes(NamespaceScript core)
    {
        core.WireEnd(CoreDevice);
        core.Ip($"route add {_addresses.PublicNetwork} dev {CoreDevice}");
        core.Ip($"route add {_addresses.PublicNetwork6} dev {CoreDevice}");
    }

    internal LabSite Finish(WireProcess wire) => new(_plan, _addresses, Edge, _hosts, wire);

    private bool HostsArePublic => _plan.Nat is NatKind.None or NatKind.Firewall;

    private bool HasBridge => _plan.Hosts > 1;

    private void AddEdge()
    {
        var script = Router(Edge);
        script.WireEnd(WanDevice);
        script.Ip("route add default dev wan");
        if (HasBridge)
        {
            // br_netfilter would translate inside the bridge, before a packet is routed: a hairpin would then bypass the router.
            script.SettingIfPresent("bridge/bridge-nf-call-iptables", "0");
            // No spanning tree and no multicast snooping: they only add silence at the start.
            script.Ip("link add lan type bridge forward_delay 0 mcast_snooping 0");
            for (var host = 0; host < _plan.Hosts; host++)
            {
                script.Ip($"link set {EdgePort(host)} master lan up");
                if (_plan.IsolateHosts)
                {
                    script.Ip($"link set {EdgePort(host)} type bridge_slave isolated on");
                }
            }
        }

        script.Ip("link set lan up");
        if (_plan.IPv4)
        {
            script.Ip($"address add {EdgeInside}/{InsideLength} dev lan");
            if (!HostsArePublic)
            {
                script.Ip($"address add {_addresses.Outside(0)}/32 dev wan");
                script.Ip($"address add {_addresses.Outside(1)}/32 dev wan");
            }
        }

        AddIPv6(script, "lan", _addresses.Router6, "dev wan");
        AddNat(script, LabSite.EdgeNat(_plan, _addresses, generation: 0));
        Scripts.Add(script);
    }

    private IPAddress EdgeInside => HostsArePublic ? _addresses.PublicRouter
        : _plan.HomeNat is null ? SiteAddresses.HomeRouter : SiteAddresses.CarrierRouter;

    private int InsideLength => HostsArePublic ? 29 : _plan.HomeNat is null ? 24 : 10;

    private string EdgePort(int host) => HasBridge ? $"lan{host}" : "lan";

    private void AddHost(string name, string home, int host)
    {
        Namespaces.Add(name);
        if (_plan.HomeNat is { } homeNat)
        {
            AddHome(home, homeNat, host);
            Links.Add($"link add lan netns {home} type veth peer name eth0 netns {name}");
        }
        else
        {
            Links.Add($"link add {EdgePort(host)} netns {Edge} type veth peer name eth0 netns {name}");
        }

        var address = HostsArePublic ? _addresses.PublicHost(host) : SiteAddresses.HomeHost(_plan.HomeNat is null ? host : 0);
        var gateway = HostsArePublic ? _addresses.PublicRouter : SiteAddresses.HomeRouter;
        var script = Machine(name);
        script.Ip("link set eth0 up");
        if (_plan.IPv4)
        {
            script.Ip($"address add {address}/{(HostsArePublic ? 29 : 24)} dev eth0");
            script.Ip($"route add default via {gateway}");
        }

        AddIPv6(script, "eth0", _addresses.Host6(host), $"via {_addresses.Router6}");
        Scripts.Add(script);
        _hosts.Add(new LabHost(name, _plan.IPv4 ? address : null, _plan.IPv6 ? _addresses.Host6(host) : null));
    }

    private void AddHome(string home, NatKind kind, int index)
    {
        Namespaces.Add(home);
        Links.Add($"link add {EdgePort(index)} netns {Edge} type veth peer name wan netns {home}");
        var script = Router(home);
        var outside = SiteAddresses.CarrierCustomer(index);
        script.Ip("link set wan up");
        script.Ip("link set lan up");
        script.Ip($"address add {outside}/10 dev wan");
        script.Ip($"address add {SiteAddresses.HomeRouter}/24 dev lan");
        script.Ip($"route add default via {SiteAddresses.CarrierRouter}");
        AddNat(script, new NatSettings(kind, outside, Hairpin: false, NatSettings.UsualMappingSeconds, PortBase: 42_000));
        Scripts.Add(script);
    }

    private static void AddNat(NamespaceScript script, NatSettings nat)
    {
        script.Rules(NatRules.For(nat));
        if (nat.MappingSeconds != NatSettings.UsualMappingSeconds)
        {
            // Flows must not outlive mappings, or a flow would keep a port that the mapping has lost.
            script.Setting("netfilter/nf_conntrack_udp_timeout", $"{nat.MappingSeconds}");
            script.Setting("netfilter/nf_conntrack_udp_timeout_stream", $"{nat.MappingSeconds}");
        }
    }

    private void AddIPv6(NamespaceScript script, string device, IPAddress address, string nextHop)
    {
        if (!_plan.IPv6)
        {
            return;
        }

        // No duplicate address detection: an address is usable at once.
        script.Ip($"address add {address}/64 dev {device} nodad");
        script.Ip($"route add {Default6} {nextHop}");
    }

    private NamespaceScript Router(string name)
    {
        var script = Machine(name);
        script.Setting("ipv4/ip_forward", "1");
        script.Setting("ipv6/conf/all/forwarding", "1");
        // Several hosts on one LAN interface: a hint to talk directly is wrong where they are isolated.
        script.Setting("ipv4/conf/all/send_redirects", "0");
        script.Setting("ipv4/conf/default/send_redirects", "0");
        return script;
    }

    private static NamespaceScript Machine(string name)
    {
        var script = new NamespaceScript(name);
        script.Ip("link set lo up");
        return script;
    }
}
