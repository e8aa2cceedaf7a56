using Gimlet.NatLab.Nats;

namespace Gimlet.NatLab.Lab;

/// <summary>
/// One place on the lab's internet: an edge router on its own wire, and hosts behind it. Homes all use 192.168.1.0/24, as homes do: the hosts of two
/// sites have the same private address.
/// </summary>
/// <param name="Name">Short, unique within the lab, letters and digits and dashes.</param>
/// <param name="Nat">What the edge router does.</param>
internal sealed record SitePlan(string Name, NatKind Nat)
{
    /// <summary>How many hosts are behind the router.</summary>
    internal int Hosts { get; init; } = 1;

    /// <summary>The edge router is a carrier's (100.64.0.0/10 inside), and each host sits behind a home router of this kind as well.</summary>
    internal NatKind? HomeNat { get; init; }

    /// <summary>The edge router lets its hosts meet at their outside addresses.</summary>
    internal bool Hairpin { get; init; }

    /// <summary>The hosts of the LAN do not see each other, only the router (a guest wifi).</summary>
    internal bool IsolateHosts { get; init; }

    /// <summary>Life of an idle UDP mapping at the edge.</summary>
    internal int MappingSeconds { get; init; } = NatSettings.UsualMappingSeconds;

    /// <summary>The hosts have a global IPv6 address; the edge never translates IPv6.</summary>
    internal bool IPv6 { get; init; }

    /// <summary>False: the hosts have no IPv4 address at all.</summary>
    internal bool IPv4 { get; init; } = true;

    /// <summary>From the site to the middle of the internet; two sites are four of these apart and back.</summary>
    internal TimeSpan OneWayDelay { get; init; } = TimeSpan.FromMilliseconds(10);
}
