namespace Gimlet.NatLab.Nats;

/// <summary>How a router between a site's hosts and the internet behaves, in the words of RFC 4787 sections 4.1 (mapping) and 5 (filtering).</summary>
public enum NatKind
{
    /// <summary>No translation and no filter: the hosts have public addresses.</summary>
    None,

    /// <summary>No translation; a stateful filter lets in only what was asked for (address and port). Usual for IPv6 at home.</summary>
    Firewall,

    /// <summary>Endpoint-independent mapping and filtering.</summary>
    FullCone,

    /// <summary>Endpoint-independent mapping, address-dependent filtering.</summary>
    RestrictedCone,

    /// <summary>Endpoint-independent mapping, address-and-port-dependent filtering.</summary>
    PortRestricted,

    /// <summary>Address-and-port-dependent mapping and filtering; each mapping gets a random port.</summary>
    Symmetric,

    /// <summary>As <see cref="Symmetric"/>, but each new mapping gets the next port.</summary>
    SequentialSymmetric,

    /// <summary>TCP passes (as through <see cref="Symmetric"/>), UDP is dropped in both directions.</summary>
    UdpBlocked,
}
