using Gimlet.Sockets;

namespace Gimlet.Stun.Server;

/// <summary>
/// The two IP addresses of one family that a server for behaviour discovery has (RFC 5780 section 2.2). Ports are ignored.
/// </summary>
/// <param name="Primary">The first address, as sockets see it.</param>
/// <param name="Alternate">The second address, as sockets see it.</param>
public readonly record struct StunAddressPair(TransportAddress Primary, TransportAddress Alternate)
{
    /// <summary>The first address as the internet sees it, where the server itself is behind a one-to-one NAT; empty: the same.</summary>
    public TransportAddress AdvertisedPrimary { get; init; }

    /// <summary>The second address as the internet sees it, where the server itself is behind a one-to-one NAT; empty: the same.</summary>
    public TransportAddress AdvertisedAlternate { get; init; }

    internal bool IsConfigured => !Primary.IsEmpty && !Alternate.IsEmpty;

    internal bool TryOther(TransportAddress local, out TransportAddress other)
    {
        other = local.SameAddress(Primary) ? Alternate : local.SameAddress(Alternate) ? Primary : default;
        return IsConfigured && !other.IsEmpty;
    }

    internal TransportAddress Advertise(TransportAddress local)
    {
        TransportAddress advertised = local.SameAddress(Primary) ? AdvertisedPrimary
            : local.SameAddress(Alternate) ? AdvertisedAlternate
            : default;
        return advertised.IsEmpty ? local : advertised.WithPort(local.Port);
    }
}

/// <summary>
/// Where a STUN server listens. With one port it is a plain server; with a second port it can answer "change port"; with a second
/// address as well it is a server of RFC 5780. Every port must be open on every address.
/// </summary>
public sealed record StunServerEndpoints
{
    /// <summary>The port: 3478 unless another is configured (RFC 8489 section 18.6).</summary>
    public int Port { get; init; } = 3478;

    /// <summary>The second port; 0 for none.</summary>
    public int AlternatePort { get; init; }

    /// <summary>The two IPv4 addresses; default for one or any.</summary>
    public StunAddressPair IPv4 { get; init; }

    /// <summary>The two IPv6 addresses; default for one or any.</summary>
    public StunAddressPair IPv6 { get; init; }

    /// <summary>True when the server can answer from elsewhere than it was asked.</summary>
    internal bool SupportsDiscovery => AlternatePort != 0 || IPv4.IsConfigured || IPv6.IsConfigured;

    /// <summary>Checks that the values make sense together.</summary>
    /// <exception cref="ArgumentException">A value does not; the message names it.</exception>
    public void Validate()
    {
#pragma warning disable MA0015 // the bad value is a property, and its name is what helps
        ArgumentOutOfRangeException.ThrowIfLessThan(Port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Port, ushort.MaxValue);
        ArgumentOutOfRangeException.ThrowIfNegative(AlternatePort);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(AlternatePort, ushort.MaxValue);
        ArgumentOutOfRangeException.ThrowIfEqual(AlternatePort, Port);
        Validate(IPv4, nameof(IPv4), static address => address.IsIPv4);
        Validate(IPv6, nameof(IPv6), static address => address.IsIPv6);
#pragma warning restore MA0015
    }

    /// <summary>Finds where an answer must leave from; false when the server has no such place.</summary>
    internal bool TryRoute(TransportAddress local, bool changeAddress, bool changePort, out TransportAddress source)
    {
        source = local;
        if (changeAddress)
        {
            if (!PairOf(local).TryOther(local, out TransportAddress other))
            {
                return false;
            }

            source = other.WithPort(local.Port);
        }

        if (changePort)
        {
            if (AlternatePort == 0 || (local.Port != Port && local.Port != AlternatePort))
            {
                return false;
            }

            source = source.WithPort(local.Port == Port ? AlternatePort : Port);
        }

        return true;
    }

    internal TransportAddress Advertise(TransportAddress local) => PairOf(local).Advertise(local);

    private static void Validate(StunAddressPair pair, string name, Func<TransportAddress, bool> isOfFamily)
    {
        if (pair == default)
        {
            return;
        }

        if (!isOfFamily(pair.Primary) || !isOfFamily(pair.Alternate) || pair.Primary.SameAddress(pair.Alternate)
            || pair.Primary.IsUnspecified || pair.Alternate.IsUnspecified)
        {
            throw new ArgumentException(
                $"{name} must be two different addresses of that family, not {pair.Primary} and {pair.Alternate}.", name);
        }
    }

    private StunAddressPair PairOf(TransportAddress local) => local.IsIPv6 ? IPv6 : IPv4;
}
