using Gimlet.Sockets;

namespace Gimlet.Stun.Discovery;

/// <summary>One server's view of a socket.</summary>
/// <param name="Server">Where the probe was sent.</param>
/// <param name="Mapped">The source address that the server saw.</param>
/// <param name="RoundTrip">How long the answer took.</param>
public sealed record MappingObservation(TransportAddress Server, TransportAddress Mapped, TimeSpan RoundTrip);

/// <summary>What is known about the NATs and firewalls between this machine and the internet, and why it is believed.</summary>
/// <remarks>
/// The servers at hand decide how much can be known. Where evidence leaves more than one possibility, the behaviour is unknown and
/// the two bounds say what is left; the bounds are never unknown.
/// </remarks>
public sealed record NatBehavior
{
    /// <summary>How the NAT maps.</summary>
    public required MappingBehavior Mapping { get; init; }

    /// <summary>The easiest mapping that the evidence leaves possible.</summary>
    public required MappingBehavior MappingAtLeast { get; init; }

    /// <summary>The hardest mapping that the evidence leaves possible.</summary>
    public required MappingBehavior MappingAtMost { get; init; }

    /// <summary>How NAT or firewall filter.</summary>
    public required FilteringBehavior Filtering { get; init; }

    /// <summary>The most open filtering that the evidence leaves possible.</summary>
    public required FilteringBehavior FilteringAtLeast { get; init; }

    /// <summary>The strictest filtering that the evidence leaves possible.</summary>
    public required FilteringBehavior FilteringAtMost { get; init; }

    /// <summary>
    /// True when two sockets behind the NAT reached each other through their outside addresses (RFC 4787 section 6), false when they did
    /// not; <see langword="null"/> when that was not tried.
    /// </summary>
    public bool? Hairpinning { get; init; }

    /// <summary>
    /// True when servers see another address than the socket has; <see langword="null"/> when the socket's own is not known.
    /// </summary>
    public bool? IsNatted { get; init; }

    /// <summary>True when all servers see the socket's own port; <see langword="null"/> when nothing is known.</summary>
    public bool? PortPreserved { get; init; }

    /// <summary>The friendly name as a value.</summary>
    public required NatType Type { get; init; }

    /// <summary>The friendly name in words.</summary>
    public string FriendlyName => Type.ToFriendlyName();

    /// <summary>Why all this is believed, in sentences for people, with the figures.</summary>
    public required string Evidence { get; init; }

    /// <summary>What each server saw of the socket whose mapping was tested, in the order of the first sends.</summary>
    public required IReadOnlyList<MappingObservation> Observations { get; init; }
}
