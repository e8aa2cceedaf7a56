using Gimlet.Sockets;

namespace Gimlet.Candidates;

/// <summary>Priorities of candidates (RFC 8445 section 5.1.2) and the order in which pairs are tried.</summary>
internal static class CandidatePriority
{
    /// <summary>RFC 8445 section 5.1.2.1: priority = 2^24 (type preference) + 2^8 (local preference) + (256 - component).</summary>
    public static uint Of(CandidateKind kind, TransportAddress address)
    {
        // RFC 8445 section 5.1.2.2 recommends 126 for host, 110 for peer-reflexive, 100 for server-reflexive, 0 for relayed.
        uint type = kind switch
        {
            CandidateKind.Host => 126,
            CandidateKind.PeerReflexive => 110,
            CandidateKind.Mapped => 105,
            CandidateKind.ServerReflexive => 100,
            _ => 0,
        };

        // RFC 8421 section 4: IPv6 before IPv4 of the same type.
        uint local = address.IsIPv6 ? 65535u : 32767u;
        return (type << 24) | (local << 8) | 255;
    }

    /// <summary>
    /// The order of first checks: lower goes first. Not the RFC's pair priority, which tries every private address of a
    /// foreign LAN before the one address that can work: whether the two share a LAN shows in their public addresses.
    /// </summary>
    public static int FirstCheckRank(Candidate remote, bool sameSite)
    {
        bool local = remote.Address.IsPrivate || remote.Address.IsLinkLocal || remote.Address.IsLoopback;
        if (remote.Unverified)
        {
            return 6;
        }

        return remote.Kind switch
        {
            CandidateKind.Host when local && sameSite => 0,
            CandidateKind.PeerReflexive => 1,
            CandidateKind.Host when !local => remote.Address.IsIPv6 ? 1 : 2,
            CandidateKind.Mapped => 2,
            CandidateKind.ServerReflexive => 3,
            CandidateKind.Host => 4,
            _ => 5,
        };
    }
}
