namespace Gimlet.Simulation;

/// <summary>On what a mapping, or a filter, depends (RFC 4787 sections 4.1 and 5).</summary>
public enum Dependence
{
    /// <summary>EIM, EIF: on the inside endpoint alone.</summary>
    Endpoint,

    /// <summary>ADM, ADF: on the remote address as well.</summary>
    Address,

    /// <summary>APDM, APDF: on the remote address and port as well.</summary>
    AddressAndPort,
}

/// <summary>Which public port a new mapping gets (RFC 4787 section 4.2).</summary>
public enum PortAllocation
{
    /// <summary>The inside port where it is free, else the next free one.</summary>
    Preserving,

    /// <summary>One after the other.</summary>
    Sequential,

    /// <summary>Any.</summary>
    Random,
}

/// <summary>What happens to a packet from inside to a public address of the NAT itself (RFC 4787 section 6).</summary>
public enum Hairpin
{
    /// <summary>Dropped.</summary>
    None,

    /// <summary>Delivered from the sender's public address and port, as REQ-9 a) demands.</summary>
    ExternalSource,

    /// <summary>Delivered from the sender's inside address and port, which confuses receivers; such NATs exist.</summary>
    InternalSource,
}

/// <summary>Which of several public addresses a mapping gets (RFC 4787 section 4.1, REQ-2).</summary>
public enum AddressPooling
{
    /// <summary>All mappings of an inside address get the same.</summary>
    Paired,

    /// <summary>Each mapping gets any.</summary>
    Arbitrary,
}

/// <summary>One NAT of RFC 4787's many.</summary>
internal sealed record NatBehaviour
{
    public static NatBehaviour FullCone { get; } = new();

    public static NatBehaviour RestrictedCone { get; } = new() { Filtering = Dependence.Address };

    public static NatBehaviour PortRestrictedCone { get; } = new() { Filtering = Dependence.AddressAndPort };

    /// <summary>The hard one: a mapping per destination, at random.</summary>
    public static NatBehaviour Symmetric { get; } = new()
    {
        Mapping = Dependence.AddressAndPort,
        Filtering = Dependence.AddressAndPort,
        Ports = PortAllocation.Random,
    };

    public Dependence Mapping { get; init; }

    public Dependence Filtering { get; init; }

    public PortAllocation Ports { get; init; }

    /// <summary>How far apart sequential ports are; some NATs keep parity and go in steps of two.</summary>
    public int PortStep { get; init; } = 1;

    /// <summary>
    /// Two mappings may share a public port as long as their destinations differ (RFC 4787 section 4.2.1, "port overloading").
    /// Linux' masquerade does this: with <see cref="PortAllocation.Preserving"/> it looks endpoint-independent until two hosts collide.
    /// </summary>
    public bool PortOverloading { get; init; }

    public Hairpin Hairpin { get; init; }

    /// <summary>How long a mapping lives without a packet that refreshes it. REQ-5 demands two minutes at least; 30 s have been measured.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Incoming packets refresh a mapping as well (REQ-6 a). Outgoing ones always do.</summary>
    public bool InboundRefresh { get; init; }

    /// <summary>A filter's entry for a destination expires by itself while the mapping is kept alive by others (as in Linux' conntrack).</summary>
    public bool SessionTimers { get; init; } = true;

    public int PublicAddresses { get; init; } = 1;

    public AddressPooling Pooling { get; init; }

    /// <summary>Unsolicited packets are answered with an ICMP-like notification instead of silence.</summary>
    public bool RejectsUnsolicited { get; init; }

    public override string ToString() =>
        $"{Word(Mapping)}M/{Word(Filtering)}F {Ports}{(PortOverloading ? " overloading" : string.Empty)} hairpin {Hairpin}";

    private static string Word(Dependence dependence) => dependence switch
    {
        Dependence.Endpoint => "EI",
        Dependence.Address => "AD",
        _ => "APD",
    };
}

/// <summary>A stateful firewall that translates nothing (RFC 6092 section 3 is its IPv6 form).</summary>
internal sealed record FirewallBehaviour
{
    /// <summary>RFC 6092 REC-11 and REC-33 leave the choice; address-and-port-dependent is what conntrack does.</summary>
    public Dependence Filtering { get; init; } = Dependence.AddressAndPort;

    /// <summary>RFC 6092 REC-14: at least two minutes.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    public bool RejectsUnsolicited { get; init; }
}
