namespace Gimlet.Stun.Discovery;

/// <summary>
/// From whom a NAT or firewall lets datagrams in to a socket that has sent something (RFC 4787 section 5). The order is from open
/// to strict.
/// </summary>
public enum FilteringBehavior
{
    /// <summary>Not known.</summary>
    Unknown = 0,

    /// <summary>From everyone.</summary>
    EndpointIndependent = 1,

    /// <summary>From IP addresses that the socket has sent to, whatever their port.</summary>
    AddressDependent = 2,

    /// <summary>From addresses and ports that the socket has sent to.</summary>
    AddressAndPortDependent = 3,
}
