using System.Net;
using Gimlet.Fallbacks;
using Gimlet.Sockets;
using Gimlet.Stun.Client;

namespace Gimlet.Hosting;

/// <content>Names of STUN servers, fallbacks where none answers, and this machine's addresses.</content>
internal sealed partial class NodeHost
{
    private List<IPAddress> _addresses = [];

    /// <summary>Resolves names and hands the addresses to the core; a name without an address is a result as well.</summary>
    public void ResolveStun(IReadOnlyList<StunServerAddress> servers)
    {
        // Literal addresses, the usual case behind "the host that was dialled", cost no turn of the scheduler.
        if (servers.All(s => s.TryGetAddress(out _)))
        {
            List<StunTarget> targets = [.. servers.Select(s => s.TryGetAddress(out TransportAddress a) ? new StunTarget(s, a) : StunTarget.Unresolved(s, "no address"))];
            TryRun(static (host, now, t) => host.Core.AddStunTargets(t, now), targets.Select(Admit).ToList());
            return;
        }

        Track(() => ResolveStunAsync(servers));
    }

    /// <summary>Looks for the public address where STUN answered nothing: the cloud's metadata, then the local address.</summary>
    public void FindFallback() => Track(FindFallbackAsync);

    // What a rendezvous server names must not make this machine send to itself, to its cloud's metadata or to a whole network. What the
    // application configures is its own affair, and then nothing else is asked.
    private StunTarget Admit(StunTarget target)
    {
        bool loopback = _options.LoopbackAllowed || _options.Servers.Any(s => s.IsLoopback);
        return _options.StunServers.Count > 0 || target.Address.IsEmpty || Candidates.CandidatePolicy.MaySendTo(target.Address, loopback)
            ? target
            : StunTarget.Unresolved(target.Server, $"{target.Address} is no address of a STUN server");
    }

    private async Task ResolveStunAsync(IReadOnlyList<StunServerAddress> servers)
    {
        try
        {
            StunResolution[] resolved = await Task.WhenAll(servers.Select(s => _resolver.ResolveAsync(s, _stop.Token))).ConfigureAwait(false);
            foreach (StunResolution resolution in resolved.Where(r => r.Error is not null))
            {
                NodeLog.StunNameFailed(_logger, resolution.Server.ToString(), resolution.Error!);
            }

            TryRun(static (host, now, r) => host.Core.AddStunTargets(r, now), resolved.SelectMany(x => x.ToTargets()).Select(Admit).ToList());
        }
        catch (OperationCanceledException)
        {
            // The node is being disposed.
        }
    }

    private async Task FindFallbackAsync()
    {
        try
        {
            string why = "no cloud was asked";
            if (_options.MetadataAddress is { } metadata)
            {
                using var cloud = new CloudMetadata(metadata, _options.Traversal.MetadataTimeout, _time);
                CloudMetadataResult result = await cloud.FindAsync(_stop.Token).ConfigureAwait(false);
                if (result.Address is not null)
                {
                    var address = new TransportAddress(result.Address, Ports.IPv4);
                    TryRun(static (host, now, s) => host.Core.SetFallback(s.address, PublicAddressSource.CloudMetadata, s.Explanation, now), (address, result.Explanation));
                    return;
                }

                why = $"no cloud told it ({result.Explanation})";
            }

            List<IPAddress> hosts = _options.Ground.FindAddresses(_options.Traversal.MaxHostCandidates, _options.LoopbackAllowed);
            IPAddress? local = hosts.Find(h => h.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork) ?? (hosts.Count > 0 ? hosts[0] : null);
            TransportAddress fallback = local is null ? default : new TransportAddress(local, local.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? Ports.IPv4 : Ports.IPv6);
            string asked = _options.StunServers.Count == 0 && _options.Servers.Count == 0 ? "no STUN server was named" : "no STUN server answered";
            string explanation = $"{asked} and {why}; {(local is null ? "this machine has no address either" : "peers outside this network cannot reach a local address")}";
            TryRun(static (host, now, s) => host.Core.SetFallback(s.fallback, PublicAddressSource.Local, s.explanation, now), (fallback, explanation));
        }
        catch (OperationCanceledException)
        {
            // The node is being disposed.
        }
    }

    private void OnNetworkAddressChanged(object? sender, EventArgs e)
    {
        try
        {
            List<IPAddress> hosts = _options.Ground.FindAddresses(_options.Traversal.MaxHostCandidates, _options.LoopbackAllowed);
            NodeLog.NetworkChanged(_logger, hosts.Count);
            List<IPAddress> before = Interlocked.Exchange(ref _addresses, hosts);
            bool isGone = before.Except(hosts).Any();
            TryRun(
                static (host, now, s) =>
                {
                    host.Core.SetHostAddresses(s.hosts, now);
                    if (s.isGone)
                    {
                        host.Peers.HandleNetworkChange(now);
                    }
                },
                (hosts, isGone));
            if (isGone)
            {
                // A WebSocket from an address that is gone would be noticed by its keep-alive only. Not under the lock: links call back.
                RestartLinks();
            }
            else if (hosts.Except(before).Any())
            {
                // Back in a network: the pause was for a server that could not be reached without one.
                HurryLinks();
            }
        }
        catch (Exception fault)
        {
            // The framework calls this on a thread of its own, where an exception would end the process.
            lock (_gate)
            {
                NoteFault(fault);
            }
        }
    }
}
