using Gimlet.NatLab.Nats;
using Gimlet.NatLab.Probes;
using Xunit;

[assembly: AssemblyFixture(typeof(Gimlet.NatLab.Lab.StandardLab))]
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Gimlet.NatLab.Lab;

/// <summary>
/// The one lab that all tests of a run share: every kind of NAT on the left and on the right, some special sites, the gimlet server's host and the probe's two.
/// Built when the first test asks for it. A test gets a site only after a probe has found that its NAT behaves as its name says.
/// </summary>
public sealed class StandardLab : IAsyncDisposable
{
    internal const string Server = "server";
    internal const string ProbeHosts = "probe";

    /// <summary>Two hosts on one LAN behind one port-restricted NAT, without and with hairpinning; and with a LAN that keeps its hosts apart.</summary>
    internal const string Household = "household";
    internal const string HairpinHousehold = "hairpin";
    internal const string GuestWifi = "guests";

    /// <summary>Two homes, each with its own NAT, behind one carrier's NAT (which hairpins, RFC 6888 REQ-1).</summary>
    internal const string Carrier = "carrier";
    internal const string IPv6Left = "six-left";
    internal const string IPv6Right = "six-right";
    internal const string IPv6FirewallLeft = "sixfw-left";
    internal const string IPv6FirewallRight = "sixfw-right";
    internal const string Sequential = "sequential";
    internal const string ShortLived = "short";

    /// <summary>A network that a host of another site moves to.</summary>
    internal const string Elsewhere = "elsewhere";

    private readonly Dictionary<string, NatReport?> _verified = new(StringComparer.Ordinal);
    private Task<LabNetwork>? _network;
    private ProbeServer? _probeServer;

    /// <summary>The kinds that the pair matrix is made of.</summary>
    internal static readonly IReadOnlyList<NatKind> MatrixKinds =
        [NatKind.None, NatKind.FullCone, NatKind.RestrictedCone, NatKind.PortRestricted, NatKind.Symmetric];

    internal static string Left(NatKind kind) => $"left-{Short(kind)}";

    internal static string Right(NatKind kind) => $"right-{Short(kind)}";

    /// <summary>Every site with a NAT of its own that a probe can judge.</summary>
    internal static IEnumerable<string> ProbedSites
        => Plans().Where(plan => plan.IPv4 && plan.Name is not ProbeHosts).Select(plan => plan.Name);

    /// <summary>The lab's probe server; the lab is built if it is not there yet.</summary>
    internal async Task<ProbeServer> ProbeAsync()
    {
        await BuildAsync();
        return _probeServer!;
    }

    /// <summary>A site whose NAT was probed and found to be what it is called.</summary>
    /// <exception cref="LabException">It is not.</exception>
    internal async Task<LabSite> SiteAsync(string name)
    {
        var network = await BuildAsync();
        var site = network[name];
        if (!site.Plan.IPv4 || _verified.ContainsKey(name))
        {
            return site;
        }

        var expected = NatReport.Expected(site.Plan.Nat);
        foreach (var host in site.Hosts)
        {
            var found = await NatProbe.RunAsync(host, _probeServer!);
            if (found != expected)
            {
                throw new LabException($"site {name} should be {site.Plan.Nat}, {expected}, but {host.Namespace} sees {found}");
            }
        }

        _verified[name] = expected;
        return site;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_probeServer is not null)
        {
            await _probeServer.DisposeAsync();
        }

        if (_network is { IsCompletedSuccessfully: true })
        {
            await (await _network).DisposeAsync();
        }
    }

    /// <summary>Builds once; a lab that could not be built fails every test with the same reason.</summary>
    private async Task<LabNetwork> BuildAsync()
    {
        LabRequirements.Demand();
        _network ??= LabNetwork.CreateAsync([.. Plans()], CancellationToken.None);
        var network = await _network;
        _probeServer ??= new ProbeServer(network[ProbeHosts]);
        return network;
    }

    private static IEnumerable<SitePlan> Plans() =>
    [
        new(Server, NatKind.None) { IPv6 = true },
        new(ProbeHosts, NatKind.None) { Hosts = 2, IPv6 = true },
        .. MatrixKinds.Append(NatKind.UdpBlocked).SelectMany(kind => new SitePlan[] { new(Left(kind), kind), new(Right(kind), kind) }),
        new(Household, NatKind.PortRestricted) { Hosts = 2 },
        new(HairpinHousehold, NatKind.PortRestricted) { Hosts = 2, Hairpin = true },
        new(GuestWifi, NatKind.PortRestricted) { Hosts = 2, Hairpin = true, IsolateHosts = true },
        new(Carrier, NatKind.PortRestricted) { Hosts = 2, Hairpin = true, HomeNat = NatKind.PortRestricted },
        new(Sequential, NatKind.SequentialSymmetric),
        // The shortest mapping life that was found in homes is 30 s (IMC 2010).
        new(ShortLived, NatKind.PortRestricted) { MappingSeconds = 30 },
        new(Elsewhere, NatKind.PortRestricted),
        new(IPv6Left, NatKind.None) { IPv4 = false, IPv6 = true },
        new(IPv6Right, NatKind.None) { IPv4 = false, IPv6 = true },
        new(IPv6FirewallLeft, NatKind.Firewall) { IPv4 = false, IPv6 = true },
        new(IPv6FirewallRight, NatKind.Firewall) { IPv4 = false, IPv6 = true },
    ];

    private static string Short(NatKind kind) => kind switch
    {
        NatKind.None => "open",
        NatKind.FullCone => "full",
        NatKind.RestrictedCone => "restricted",
        NatKind.PortRestricted => "port",
        NatKind.Symmetric => "symmetric",
        NatKind.UdpBlocked => "blocked",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not part of the matrix."),
    };
}
