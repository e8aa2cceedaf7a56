using System.Net;

namespace Gimlet.NatLab.Lab;

/// <summary>
/// The address plan. Public addresses are from ordinary unicast space, because programs treat documentation and benchmarking ranges as special (miniupnpd
/// refuses 203.0.113.0/24). They exist only inside the lab's namespaces, which have no way out.
/// </summary>
internal sealed record SiteAddresses(int Index)
{
    internal static readonly IPAddress CoreAddress = IPAddress.Parse("45.255.0.1");
    internal static readonly IPAddress HomeRouter = IPAddress.Parse("192.168.1.1");
    internal static readonly IPAddress CarrierRouter = IPAddress.Parse("100.64.0.1");

    internal string PublicNetwork => $"45.{Index}.17.0/29";

    internal string PublicNetwork6 => $"2a10:{Index:x}::/64";

    /// <summary>Where hosts have public addresses, this is their router's.</summary>
    internal IPAddress PublicRouter => IPAddress.Parse($"45.{Index}.17.1");

    internal IPAddress Router6 => IPAddress.Parse($"2a10:{Index:x}::1");

    /// <summary>A NAT's outside address; it has two, so that it can change.</summary>
    internal IPAddress Outside(int generation) => IPAddress.Parse($"45.{Index}.17.{2 + (generation % 2)}");

    internal IPAddress PublicHost(int host) => IPAddress.Parse($"45.{Index}.17.{2 + host}");

    internal IPAddress Host6(int host) => IPAddress.Parse($"2a10:{Index:x}::{2 + host:x}");

    internal static IPAddress HomeHost(int host) => IPAddress.Parse($"192.168.1.{2 + host}");

    internal static IPAddress CarrierCustomer(int home) => IPAddress.Parse($"100.64.0.{2 + home}");
}
