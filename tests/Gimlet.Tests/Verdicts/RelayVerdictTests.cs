using Gimlet.Calls;
using Gimlet.Stun.Discovery;

namespace Gimlet.Tests.Verdicts;

public sealed class RelayVerdictTests
{
    [Fact]
    public void The_strings_of_the_causes_are_stable()
    {
        string[] expected =
        [
            "not-relayed", "still-trying", "relay-only-policy", "own-holepunch-off", "peer-unsupported", "own-udp-blocked", "both-nats-map-per-destination",
            "own-nat-hard-peer-filters", "peer-nat-hard-own-filters", "nothing-got-through", "answers-lost", "path-died", "no-candidates", "not-introduced", "rate-limited",
            "race-lost",
        ];
        Assert.Equal(expected, Enum.GetValues<RelayCause>().Select(c => c.ToCauseString()));
    }

    [Fact]
    public void Every_cause_has_a_clause_of_its_own_and_advice()
    {
        RelayCause[] causes = Enum.GetValues<RelayCause>();
        Assert.Equal(causes.Length, causes.Select(c => c.Explanation()).Distinct(StringComparer.Ordinal).Count());
        Assert.All(causes, c => Assert.False(c.Explanation().EndsWith('.') || char.IsWhiteSpace(c.Explanation()[^1])));
        Assert.All(causes, c => Assert.EndsWith(".", c.WhatWouldHelp(), StringComparison.Ordinal));
        Assert.All(causes, c => Assert.DoesNotContain("does not have", c.WhatWouldHelp(), StringComparison.Ordinal));
        _ = Assert.Throws<ArgumentOutOfRangeException>(() => ((RelayCause)999).ToCauseString());
    }

    [Fact]
    public void Only_a_direct_path_is_not_relayed()
    {
        Assert.False(RelayVerdict.NotRelayed.IsRelayed);
        Assert.All(Enum.GetValues<RelayCause>().Where(c => c != RelayCause.NotRelayed), c => Assert.True(RelayVerdict.Of(c).IsRelayed));
        Assert.Equal(RelayEvidence.None, RelayVerdict.Of(RelayCause.StillTrying).Evidence);
        Assert.Equal("path-died: the direct path does not answer any more", RelayVerdict.Of(RelayCause.PathDied).ToString());
    }

    [Fact]
    public void The_verdict_of_a_punch_becomes_that_of_the_connection_with_all_its_evidence()
    {
        var own = new NatBehavior
        {
            Mapping = MappingBehavior.AddressAndPortDependent,
            MappingAtLeast = MappingBehavior.EndpointIndependent,
            MappingAtMost = MappingBehavior.AddressAndPortDependent,
            Filtering = FilteringBehavior.AddressDependent,
            FilteringAtLeast = FilteringBehavior.EndpointIndependent,
            FilteringAtMost = FilteringBehavior.AddressAndPortDependent,
            Type = NatType.Unknown,
            Evidence = "own words",
            Observations = [],
        };
        var punch = new PunchVerdict(own, MappingBehavior.AddressDependent, FilteringBehavior.Unknown, "peer's words", PeerCandidates: 3, Sent: 40, Received: 2, Answered: 1);
        RelayVerdict verdict = punch.ToRelayVerdict();
        Assert.Equal(
            new RelayVerdict(
                RelayCause.BothNatsMapPerDestination,
                new RelayEvidence(
                    new NatWords(MappingBehavior.AddressAndPortDependent, FilteringBehavior.AddressDependent, "own words"),
                    new NatWords(MappingBehavior.AddressDependent, FilteringBehavior.Unknown, "peer's words"),
                    ChecksSent: 40,
                    ChecksAnswered: 1,
                    ChecksReceived: 2,
                    CandidatesTried: 3)),
            verdict);
        Assert.Equal(punch.Hint, verdict.WhatWouldHelp);
        Assert.Equal(NatWords.Unknown, (punch with { Own = null }).ToRelayVerdict().Evidence.Own);
    }
}
