namespace Gimlet.Simulation;

/// <summary>Why a packet did not go on; the world counts each.</summary>
internal enum DropReason
{
    /// <summary>The link's random loss.</summary>
    Loss,

    /// <summary>The link is cut or a black hole.</summary>
    LinkDown,

    /// <summary>The link carries no UDP.</summary>
    UdpBlocked,

    /// <summary>Nobody has the address and nobody routes it.</summary>
    NoRoute,

    /// <summary>The time to live ran out.</summary>
    TimeToLive,

    /// <summary>The NAT has no mapping at this public address and port.</summary>
    NoMapping,

    /// <summary>The NAT has a mapping, but its filter does not admit this source.</summary>
    Filtered,

    /// <summary>The NAT does not hairpin.</summary>
    NoHairpin,

    /// <summary>The NAT has no free port.</summary>
    NoPort,

    /// <summary>The firewall knows no session.</summary>
    Firewall,

    /// <summary>The host has no socket on this port.</summary>
    NoSocket,
}
