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

    /// <summary>The cause in one clause.</summary>
    public string Cause => (OwnIsHard, PeerIsHard) switch
    {
        _ when Own?.Type == NatType.UdpBlocked => "UDP is blocked on this side",
        _ when PeerCandidates == 0 => "the peer named no address that could be tried",
        (true, true) => "both NATs map per destination, so neither side can tell the other the port that it will use",
        (true, false) when PeerFiltering is FilteringBehavior.AddressAndPortDependent or FilteringBehavior.Unknown =>
            "this side's NAT maps per destination, so its port cannot be known beforehand, and the peer's NAT lets in only addresses and ports that it has sent to",
        (false, true) when Own?.Filtering is null or FilteringBehavior.AddressAndPortDependent or FilteringBehavior.Unknown =>
            "the peer's NAT maps per destination, so its port cannot be known beforehand, and this side's NAT lets in only addresses and ports that it has sent to",
        _ when Received > 0 => "the peer's checks arrived but nothing came back: something on the way drops this side's datagrams",
        _ => "no datagram got through in either direction: a firewall on the way drops UDP",
    };

    /// <summary>The whole message.</summary>
    public string Message(PeerId peer, TimeSpan deadline)
    {
        string own = Own is { Evidence.Length: > 0 } ? Own.Evidence : "nothing is known of this side's NAT";
        string other = PeerEvidence.Length > 0 ? PeerEvidence : "it does not say what its NAT does";
        return $"No direct path to {peer.ToShortString()} opened within {deadline.TotalSeconds:0.#} s: {Cause}. "
            + $"This side: {Sentence(own)} The peer: {Sentence(other)} "
            + $"{Sent} checks were sent to {PeerCandidates} addresses, {Answered} were answered, {Received} of the peer's arrived.";
    }

    /// <summary>What would help.</summary>
    public string Hint => OwnIsHard || PeerIsHard
        ? "A public address, IPv6, or a port forwarded on the router of either side makes a direct path possible; a relay, which this version does not have, always would."
        : "Allow outgoing UDP on both sides, or give one side a public address.";

    private static string Sentence(string text) => text.EndsWith('.') ? text : text + ".";
}
