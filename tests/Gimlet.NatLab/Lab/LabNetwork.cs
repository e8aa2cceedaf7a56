namespace Gimlet.NatLab.Lab;

/// <summary>
/// A small internet of its own: sites, each on its own wire to a router in the middle (the core), all in network namespaces of this machine.
/// Several labs exist side by side without knowing of each other.
/// </summary>
internal sealed class LabNetwork : IAsyncDisposable
{
    private readonly List<string> _namespaces = [];
    private readonly Dictionary<string, LabSite> _sites = new(StringComparer.Ordinal);
    private WireProcess? _wire;

    private LabNetwork()
    {
    }

    internal LabSite this[string name] => _sites[name];

    /// <summary>Builds the lab. Nothing is left behind when it fails.</summary>
    /// <exception cref="LabException">A tool refused; its words are in the message.</exception>
    internal static async Task<LabNetwork> CreateAsync(IReadOnlyList<SitePlan> plans, CancellationToken cancellation)
    {
        await LabSweeper.SweepAbandonedAsync(cancellation);
        var lab = new LabNetwork();
        try
        {
            await lab.BuildAsync(plans, cancellation);
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_wire is not null)
        {
            await _wire.DisposeAsync();
            _wire = null;
        }

        if (_namespaces.Count > 0)
        {
            await LabSweeper.RemoveAsync([.. _namespaces], CancellationToken.None);
            _namespaces.Clear();
        }
    }

    private async Task BuildAsync(IReadOnlyList<SitePlan> plans, CancellationToken cancellation)
    {
        var prefix = LabNames.NewPrefix();
        var core = prefix + "core";
        var sites = plans.Select((plan, index) => new SiteBuilder(prefix, plan, index + 1)).ToList();

        // The wire process starts while the namespaces are made.
        _wire = WireProcess.Start();
        _namespaces.AddRange([core, .. sites.SelectMany(site => site.Namespaces)]);
        var batch = _namespaces.Select(name => $"netns add {name}").Concat(sites.SelectMany(site => site.Links));
        await Command.RunAsync("ip", ["-batch", "-"], string.Join('\n', batch) + "\n", cancellation);

        foreach (var (site, plan) in sites.Zip(plans))
        {
            await _wire.AddAsync(plan.Name, (site.Edge, site.WanDevice), (core, site.CoreDevice), plan.OneWayDelay);
        }

        var scripts = sites.SelectMany(site => site.Scripts).Append(Core(core, sites));
        await Parallel.ForEachAsync(scripts, cancellation, async (script, token) => await script.RunAsync(token));
        foreach (var site in sites)
        {
            var built = site.Finish(_wire);
            _sites.Add(built.Plan.Name, built);
        }
    }

    private static NamespaceScript Core(string name, List<SiteBuilder> sites)
    {
        var script = new NamespaceScript(name);
        script.Setting("ipv4/ip_forward", "1");
        script.Setting("ipv6/conf/all/forwarding", "1");
        script.Ip("link set lo up");
        script.Ip($"address add {SiteAddresses.CoreAddress}/32 dev lo");
        // What nobody has, private addresses first of all, vanishes without a word, as on the internet.
        script.Ip("route add blackhole default");
        script.Ip("route add blackhole ::/0");
        foreach (var site in sites)
        {
            site.AddCoreRoutes(script);
        }

        return script;
    }
}
