namespace Gimlet.Stun.Discovery;

/// <summary>The friendly names, which RFC 3489 section 5 made popular. They say less than mapping and filtering do.</summary>
public enum NatType
{
    /// <summary>Not enough is known.</summary>
    Unknown = 0,

    /// <summary>No NAT, and nothing filters.</summary>
    Open,

    /// <summary>Endpoint-independent mapping and filtering.</summary>
    FullCone,

    /// <summary>Endpoint-independent mapping, address-dependent filtering; or no NAT, and a firewall that filters so.</summary>
    RestrictedCone,

    /// <summary>Endpoint-independent mapping, address-and-port-dependent filtering; or no NAT, and a firewall that filters so.</summary>
    PortRestrictedCone,

    /// <summary>A mapping per destination, whatever the filtering.</summary>
    Symmetric,

    /// <summary>Nothing that was sent over UDP was answered.</summary>
    UdpBlocked,
}

/// <summary>The names in words.</summary>
public static class NatTypeExtensions
{
    /// <summary>The name as design, command line and logs write it, such as "port-restricted cone".</summary>
    /// <param name="type">The type.</param>
    public static string ToFriendlyName(this NatType type) => type switch
    {
        NatType.Open => "open",
        NatType.FullCone => "full cone",
        NatType.RestrictedCone => "restricted cone",
        NatType.PortRestrictedCone => "port-restricted cone",
        NatType.Symmetric => "symmetric",
        NatType.UdpBlocked => "UDP blocked",
        _ => "unknown",
    };
}
