using Gimlet.Stun.Discovery;

namespace Gimlet.Calls;

/// <summary>Why a punch failed, from what both sides know of their NATs and from what arrived; in words, with the evidence.</summary>
/// <param name="Own">This side's NAT; null where it is not known.</param>
/// <param name="PeerMapping">The peer's mapping.</param>
/// <param name="PeerFiltering">The peer's filtering.</param>
/// <param name="PeerEvidence">The peer's words about its NAT; empty where it has none.</param>
/// <param name="PeerCandidates">How many addresses of the peer were tried.</param>
/// <param name="Sent">Checks that this side sent.</param>
/// <param name="Received">Authenticated checks of the peer that arrived.</param>
/// <param name="Answered">Answers to this side's checks that arrived.</param>
internal sealed record PunchVerdict(
    NatBehavior? Own,
    MappingBehavior PeerMapping,
    FilteringBehavior PeerFiltering,
    string PeerEvidence,
    int PeerCandidates,
    int Sent,
    int Received,
    int Answered)
{
    private bool OwnIsHard => Own is { Mapping: MappingBehavior.AddressDependent or MappingBehavior.AddressAndPortDependent };

    private bool PeerIsHard => PeerMapping is MappingBehavior.AddressDependent or MappingBehavior.AddressAndPortDependent;

    /// <summary>The cause, the same that a relayed connection names.</summary>
    public RelayCause Cause => (OwnIsHard, PeerIsHard) switch
    {
        _ when Own?.Type == NatType.UdpBlocked => RelayCause.OwnUdpBlocked,
        _ when PeerCandidates == 0 => RelayCause.NoCandidates,
        (true, true) => RelayCause.BothNatsMapPerDestination,
        (true, false) when PeerFiltering is FilteringBehavior.AddressAndPortDependent or FilteringBehavior.Unknown => RelayCause.OwnNatHardPeerFilters,
        (false, true) when Own?.Filtering is null or FilteringBehavior.AddressAndPortDependent or FilteringBehavior.Unknown => RelayCause.PeerNatHardOwnFilters,
        _ when Received > 0 => RelayCause.AnswersLost,
        _ => RelayCause.NothingGotThrough,
    };

    /// <summary>The whole message.</summary>
    public string Message(PeerId peer, TimeSpan deadline)
    {
        string own = Own is { Evidence.Length: > 0 } ? Own.Evidence : "nothing is known of this side's NAT";
        string other = PeerEvidence.Length > 0 ? PeerEvidence : "it does not say what its NAT does";
        return $"No direct path to {peer.ToShortString()} opened within {deadline.TotalSeconds:0.#} s: {Cause.Explanation()}. "
            + $"This side: {Sentence(own)} The peer: {Sentence(other)} "
            + $"{Sent} checks were sent to {PeerCandidates} addresses, {Answered} were answered, {Received} of the peer's arrived.";
    }

    /// <summary>What would help.</summary>
    public string Hint => Cause.WhatWouldHelp();

    /// <summary>Why a connection that goes on over the relay does so.</summary>
    public RelayVerdict ToRelayVerdict() =>
        new(Cause, new RelayEvidence(NatWords.Of(Own), new NatWords(PeerMapping, PeerFiltering, PeerEvidence), Sent, Answered, Received, PeerCandidates));

    private static string Sentence(string text) => text.EndsWith('.') ? text : text + ".";
}
