namespace Gimlet.Stun.Discovery;

/// <summary>
/// What a NAT lets the outside address of a socket depend on (RFC 4787 section 4.1). The order is from easy to hard to punch through.
/// </summary>
public enum MappingBehavior
{
    /// <summary>Not known.</summary>
    Unknown = 0,

    /// <summary>One mapping for all destinations: what a STUN server sees is what a peer can use. No NAT counts as this too.</summary>
    EndpointIndependent = 1,

    /// <summary>A mapping per destination IP address.</summary>
    AddressDependent = 2,

    /// <summary>A mapping per destination IP address and port.</summary>
    AddressAndPortDependent = 3,
}
