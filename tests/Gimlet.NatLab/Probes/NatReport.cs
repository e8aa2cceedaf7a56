using Gimlet.NatLab.Nats;

namespace Gimlet.NatLab.Probes;

/// <summary>A mapping or filtering behaviour (RFC 4787 sections 4.1 and 5).</summary>
internal enum Behaviour
{
    EndpointIndependent,
    AddressDependent,
    AddressAndPortDependent,
}

/// <summary>How outside ports follow from one mapping to the next.</summary>
internal enum PortChoice
{
    /// <summary>The outside address is the inside address: nothing is translated.</summary>
    Untranslated,
    OneByOne,
    Random,
}

/// <summary>What a probe saw of the NAT in front of a host. <see cref="Blocked"/> where no UDP came back.</summary>
internal sealed record NatReport(Behaviour Mapping, Behaviour Filtering, PortChoice Ports)
{
    internal static NatReport? Blocked => null;

    /// <summary>What a NAT of this kind must look like.</summary>
    internal static NatReport? Expected(NatKind kind) => kind switch
    {
        NatKind.None => new(Behaviour.EndpointIndependent, Behaviour.EndpointIndependent, PortChoice.Untranslated),
        NatKind.Firewall => new(Behaviour.EndpointIndependent, Behaviour.AddressAndPortDependent, PortChoice.Untranslated),
        NatKind.FullCone => new(Behaviour.EndpointIndependent, Behaviour.EndpointIndependent, PortChoice.OneByOne),
        NatKind.RestrictedCone => new(Behaviour.EndpointIndependent, Behaviour.AddressDependent, PortChoice.OneByOne),
        NatKind.PortRestricted => new(Behaviour.EndpointIndependent, Behaviour.AddressAndPortDependent, PortChoice.OneByOne),
        NatKind.Symmetric => new(Behaviour.AddressAndPortDependent, Behaviour.AddressAndPortDependent, PortChoice.Random),
        NatKind.SequentialSymmetric => new(Behaviour.AddressAndPortDependent, Behaviour.AddressAndPortDependent, PortChoice.OneByOne),
        NatKind.UdpBlocked => Blocked,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No expectation for this kind."),
    };
}
