using Gimlet.Calls;
using Gimlet.Stun.Discovery;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Calls;

public sealed class PunchVerdictTests
{
    private const MappingBehavior Easy = MappingBehavior.EndpointIndependent;
    private const MappingBehavior Hard = MappingBehavior.AddressAndPortDependent;
    private const FilteringBehavior Open = FilteringBehavior.EndpointIndependent;
    private const FilteringBehavior ByAddress = FilteringBehavior.AddressDependent;
    private const FilteringBehavior ByPort = FilteringBehavior.AddressAndPortDependent;

    [Theory]
    [InlineData(Hard, ByPort, Hard, ByPort, 0, "both NATs map per destination")]
    [InlineData(MappingBehavior.AddressDependent, ByPort, Hard, Open, 0, "both NATs map per destination")]
    [InlineData(Hard, Open, Easy, ByPort, 0, "this side's NAT maps per destination, so its port cannot be known")]
    [InlineData(Hard, Open, Easy, FilteringBehavior.Unknown, 0, "this side's NAT maps per destination, so its port cannot be known")]
    [InlineData(Hard, ByPort, Easy, ByAddress, 0, "no datagram got through")]
    [InlineData(Hard, ByPort, Easy, Open, 5, "the peer's checks arrived but nothing came back")]
    [InlineData(Easy, ByPort, Hard, Open, 0, "the peer's NAT maps per destination, so its port cannot be known")]
    [InlineData(Easy, FilteringBehavior.Unknown, Hard, ByPort, 0, "the peer's NAT maps per destination, so its port cannot be known")]
    [InlineData(Easy, ByAddress, Hard, ByPort, 0, "no datagram got through")]
    [InlineData(Easy, ByPort, Easy, ByPort, 0, "no datagram got through")]
    [InlineData(Easy, Open, Easy, Open, 3, "the peer's checks arrived but nothing came back")]
    [InlineData(MappingBehavior.Unknown, FilteringBehavior.Unknown, MappingBehavior.Unknown, FilteringBehavior.Unknown, 0, "no datagram got through")]
    public void The_cause_follows_from_both_NATs(MappingBehavior own, FilteringBehavior ownFiltering, MappingBehavior peer, FilteringBehavior peerFiltering, int received, string cause) =>
        Assert.StartsWith(cause, Verdict(Nat(own, ownFiltering), peer, peerFiltering, received).Cause.Explanation(), StringComparison.Ordinal);

    [Fact]
    public void Blocked_UDP_and_an_empty_list_come_before_all_else()
    {
        Assert.StartsWith("UDP is blocked", Verdict(Nat(Hard, ByPort) with { Type = NatType.UdpBlocked }, Hard, ByPort, 0).Cause.Explanation(), StringComparison.Ordinal);
        Assert.StartsWith("the peer named no address", (Verdict(Nat(Hard, ByPort), Hard, ByPort, 0) with { PeerCandidates = 0 }).Cause.Explanation(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_NAT_of_which_nothing_is_known_is_taken_for_the_strict_kind() =>
        Assert.StartsWith("the peer's NAT maps per destination", Verdict(null, Hard, Open, 0).Cause.Explanation(), StringComparison.Ordinal);

    [Fact]
    public void The_message_has_the_peer_the_time_the_evidence_of_both_and_the_counts()
    {
        PunchVerdict verdict = new(Nat(Hard, ByPort), Easy, ByPort, "it said so", 3, 40, 2, 1);
        string message = verdict.Message(Keys.Small.Id, TimeSpan.FromSeconds(2.5));
        Assert.StartsWith($"No direct path to {Keys.Small.Id.ToShortString()} opened within 2.5 s: this side's NAT", message, StringComparison.Ordinal);
        Assert.Contains("This side: 3 probes left as 3 ports. The peer: it said so. ", message, StringComparison.Ordinal);
        Assert.EndsWith("40 checks were sent to 3 addresses, 1 were answered, 2 of the peer's arrived.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_message_says_where_nothing_is_known()
    {
        string message = Verdict(null, MappingBehavior.Unknown, FilteringBehavior.Unknown, 0).Message(Keys.Small.Id, TimeSpan.FromSeconds(5));
        Assert.Contains("nothing is known of this side's NAT.", message, StringComparison.Ordinal);
        Assert.Contains("it does not say what its NAT does.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_would_help_depends_on_the_cause()
    {
        Assert.Contains("relay", Verdict(Nat(Hard, ByPort), Easy, ByPort, 0).Hint, StringComparison.Ordinal);
        Assert.Contains("relay", Verdict(Nat(Easy, ByPort), Hard, ByPort, 0).Hint, StringComparison.Ordinal);
        Assert.Contains("outgoing UDP", Verdict(Nat(Easy, ByPort), Easy, ByPort, 0).Hint, StringComparison.Ordinal);
    }

    private static PunchVerdict Verdict(NatBehavior? own, MappingBehavior peer, FilteringBehavior peerFiltering, int received) =>
        new(own, peer, peerFiltering, string.Empty, PeerCandidates: 2, Sent: 40, received, Answered: 0);

    private static NatBehavior Nat(MappingBehavior mapping, FilteringBehavior filtering) => new()
    {
        Mapping = mapping,
        MappingAtLeast = Easy,
        MappingAtMost = Hard,
        Filtering = filtering,
        FilteringAtLeast = Open,
        FilteringAtMost = ByPort,
        Type = NatType.Unknown,
        Evidence = "3 probes left as 3 ports",
        Observations = [],
    };
}
