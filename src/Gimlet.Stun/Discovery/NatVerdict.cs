using System.Runtime.InteropServices;

namespace Gimlet.Stun.Discovery;

/// <summary>Turns the facts of a classification into its result.</summary>
internal static class NatVerdict
{
    public static NatBehavior Give(in Facts facts)
    {
        BehaviorRange mapping = facts.Mapping;
        BehaviorRange filtering = FilteringEvidence.Judge(facts.ChangeBoth, facts.ChangePort);
        int localPort = facts.LocalPort;
        return new NatBehavior
        {
            Mapping = (MappingBehavior)mapping.Exact,
            MappingAtLeast = (MappingBehavior)mapping.AtLeast,
            MappingAtMost = (MappingBehavior)mapping.AtMost,
            Filtering = (FilteringBehavior)filtering.Exact,
            FilteringAtLeast = (FilteringBehavior)filtering.AtLeast,
            FilteringAtMost = (FilteringBehavior)filtering.AtMost,
            Hairpinning = facts.Hairpinning,
            IsNatted = facts.IsNatted,
            PortPreserved = facts.Observations.Count == 0 || localPort == 0
                ? null
                : facts.Observations.All(observation => observation.Mapped.Port == localPort),
            Type = Name(facts, mapping, filtering),
            Evidence = Describe(facts),
            Observations = facts.Observations,
        };
    }

    private static NatType Name(in Facts facts, BehaviorRange mapping, BehaviorRange filtering)
    {
        if (!facts.WasHeard)
        {
            return facts is { IsOver: true, Servers: > 0, SendFailure: null } ? NatType.UdpBlocked : NatType.Unknown;
        }

        // Whether the mapping is per address or per port as well, a peer meets another one than the server did.
        if (mapping.AtLeast >= BehaviorRange.AddressDependent)
        {
            return NatType.Symmetric;
        }

        return (mapping.Exact, filtering.Exact) switch
        {
            (BehaviorRange.EndpointIndependent, BehaviorRange.EndpointIndependent) =>
                facts.IsNatted == false ? NatType.Open : NatType.FullCone,
            (BehaviorRange.EndpointIndependent, BehaviorRange.AddressDependent) => NatType.RestrictedCone,
            (BehaviorRange.EndpointIndependent, BehaviorRange.AddressAndPortDependent) => NatType.PortRestrictedCone,
            _ => NatType.Unknown,
        };
    }

    private static string Describe(in Facts facts)
    {
        if (facts.Observations.Count > 0)
        {
            string mapping = MappingEvidence.Describe(facts.Observations, facts.LocalPort, facts.IsNatted);
            return facts.ChangeBoth == ChangeOutcome.Unknown && facts.ChangePort == ChangeOutcome.Unknown
                ? mapping
                : $"{mapping}; {FilteringEvidence.Describe(facts.ChangeBoth, facts.ChangePort)}";
        }

        string servers = facts.Servers == 1 ? "the one server" : $"any of {facts.Servers} servers";
        return facts switch
        {
            { Servers: 0 } => "there is no STUN server to ask",
            { WasHeard: true } => "the servers answered, and none said which address it saw",
            { SendFailure: { } failure } => $"this machine cannot send over UDP: {failure}",
            { IsOver: true } => $"nothing came back over UDP from {servers}",
            _ => "no server has answered yet",
        };
    }

    /// <summary>What the classifier has collected.</summary>
    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct Facts
    {
        public required IReadOnlyList<MappingObservation> Observations { get; init; }

        public required int LocalPort { get; init; }

        public required bool? IsNatted { get; init; }

        public required BehaviorRange Mapping { get; init; }

        public required ChangeOutcome ChangeBoth { get; init; }

        public required ChangeOutcome ChangePort { get; init; }

        public required bool? Hairpinning { get; init; }

        public required bool WasHeard { get; init; }

        public required bool IsOver { get; init; }

        public required int Servers { get; init; }

        public required string? SendFailure { get; init; }
    }
}
