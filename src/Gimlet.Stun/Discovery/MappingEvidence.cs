using Gimlet.Sockets;

namespace Gimlet.Stun.Discovery;

/// <summary>Draws the conclusion from what servers saw (RFC 5780 section 4.3, for any number of servers).</summary>
internal static class MappingEvidence
{
    /// <summary>What the observations leave possible.</summary>
    public static BehaviorRange Judge(IReadOnlyList<MappingObservation> observations, bool? natted)
    {
        // Without a NAT there is one address for all destinations.
        if (natted == false)
        {
            return BehaviorRange.Exactly(BehaviorRange.EndpointIndependent);
        }

        bool sameAcrossAddresses = false;
        bool otherAcrossAddresses = false;
        bool sameAcrossPorts = false;
        bool otherAcrossPorts = false;
        for (int i = 0; i < observations.Count; i++)
        {
            for (int j = i + 1; j < observations.Count; j++)
            {
                MappingObservation a = observations[i];
                MappingObservation b = observations[j];
                bool same = a.Mapped == b.Mapped;
                if (a.Server.SameAddress(b.Server))
                {
                    sameAcrossPorts |= same;
                    otherAcrossPorts |= !same;
                }
                else
                {
                    sameAcrossAddresses |= same;
                    otherAcrossAddresses |= !same;
                }
            }
        }

        // Two ports of one server saw different mappings.
        if (otherAcrossPorts)
        {
            return BehaviorRange.Exactly(BehaviorRange.AddressAndPortDependent);
        }

        if (otherAcrossAddresses)
        {
            return sameAcrossPorts
                ? BehaviorRange.Exactly(BehaviorRange.AddressDependent)
                : new BehaviorRange(BehaviorRange.AddressDependent, BehaviorRange.AddressAndPortDependent);
        }

        // A mapping that two IP addresses share depends on neither address nor port.
        if (sameAcrossAddresses)
        {
            return BehaviorRange.Exactly(BehaviorRange.EndpointIndependent);
        }

        // Two ports of one address share a mapping: what another address would see is not known.
        return sameAcrossPorts
            ? new BehaviorRange(BehaviorRange.EndpointIndependent, BehaviorRange.AddressDependent)
            : BehaviorRange.Anything;
    }

    /// <summary>The figures in a sentence.</summary>
    public static string Describe(IReadOnlyList<MappingObservation> observations, int localPort, bool? natted)
    {
        string from = localPort == 0 ? "from one socket" : $"from port {localPort}";
        string probes = observations.Count == 1 ? "1 probe" : $"{observations.Count} probes";
        List<TransportAddress> mapped = [.. observations.Select(static o => o.Mapped).Distinct()];
        if (natted == false)
        {
            return $"{probes} {from} arrived with this machine's own address {mapped[0]}: no NAT";
        }

        if (mapped.Count == 1)
        {
            int addresses = observations.DistinctBy(static o => o.Server.WithPort(0)).Count();
            string to = addresses == 1 ? $"1 address and {Plural(observations.Count, "port")}" : $"{addresses} addresses";
            return $"{probes} {from} to {to} left as {mapped[0]}";
        }

        List<TransportAddress> outside = [.. mapped.DistinctBy(static m => m.WithPort(0))];
        return outside.Count == 1
            ? $"{probes} {from} left as {mapped.Count} ports: {string.Join(", ", mapped.Select(static m => m.Port))}"
            : $"{probes} {from} left as {mapped.Count} addresses: {string.Join(", ", mapped)}";
    }

    private static string Plural(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
