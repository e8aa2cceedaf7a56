using Gimlet.Candidates;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Server.Rendezvous;

/// <summary>
/// Keeps the server from being a reflector that aims nodes at strangers: what nobody should be told is dropped, and a public address
/// that was not seen by this server itself is marked, so that it gets a few checks and never a burst.
/// </summary>
internal sealed class CandidateFilter(IObservationVerifier? observations)
{
    /// <summary>Filters what a node sent.</summary>
    /// <param name="candidates">As received: anything may be null, wrong, or too many.</param>
    /// <param name="session">Whose they are.</param>
    /// <param name="now">The time.</param>
    /// <param name="most">How many may pass; the rest is cut.</param>
    /// <param name="dropped">How many did not pass.</param>
    public CandidateSet Apply(CandidateDescription?[]? candidates, RendezvousSession session, TimeSpan now, int most, out int dropped)
    {
        dropped = 0;
        most = Math.Min(most, SignalProtocol.MaxCandidates);
        if (candidates is null or [])
        {
            return CandidateSet.Empty;
        }

        var kept = new List<CandidateDescription>(Math.Min(candidates.Length, most));
        Span<TransportAddress> addresses = stackalloc TransportAddress[SignalProtocol.MaxCandidates];
        int loopbacks = 0;
        foreach (CandidateDescription? candidate in candidates)
        {
            if (kept.Count == most)
            {
                break;
            }

            if (candidate?.Kind is not { } kind || !IsKnownKind(kind)
                || !TransportAddress.TryParse(candidate.Address, out TransportAddress address)
                || !MayBeTold(address, session)
                || addresses[..kept.Count].Contains(address))
            {
                continue;
            }

            addresses[kept.Count] = address;
            loopbacks += address.IsLoopback ? 1 : 0;
            kept.Add(new CandidateDescription
            {
                Kind = kind,
                Address = address.ToString(),
                Unverified = IsPublic(address) && !IsObserved(address, candidate.Proof, session, now) ? true : null,
            });
        }

        dropped = candidates.Length - kept.Count;
        CandidateDescription[] all = [.. kept];
        CandidateDescription[] outside = all;
        if (loopbacks > 0)
        {
            outside = new CandidateDescription[all.Length - loopbacks];
            for (int i = 0, at = 0; i < all.Length; i++)
            {
                if (!addresses[i].IsLoopback)
                {
                    outside[at++] = all[i];
                }
            }
        }

        return new CandidateSet(all, outside);
    }

    /// <summary>True for an address of the whole internet: one that a check from anywhere would reach.</summary>
    public static bool IsPublic(TransportAddress address) => !address.IsPrivate && !address.IsLinkLocal && !address.IsLoopback;

    private bool IsObserved(TransportAddress address, byte[]? proof, RendezvousSession session, TimeSpan now) =>
        address.SameAddress(session.Remote)
        || (proof is not null && observations is not null && observations.IsProven(address, proof, now));

    private static bool IsKnownKind(string kind) => kind is CandidateKindText.Host or CandidateKindText.ServerReflexive
        or CandidateKindText.PeerReflexive or CandidateKindText.Mapped or CandidateKindText.Relayed;

    private static bool MayBeTold(TransportAddress address, RendezvousSession session)
    {
        // What no node would send to need not be passed on either: the one policy of both.
        if (!CandidatePolicy.MaySendTo(address, allowLoopback: true))
        {
            return false;
        }

        if (address.IsLoopback)
        {
            return session.SeesLoopback;
        }

        // Link-local addresses hold metadata services (169.254.169.254 and its neighbours), and an IPv6 one means nothing without
        // the reader's interface. On a network that has nothing but 169.254.0.0/16 the WebSocket comes from there as well.
        return !address.IsLinkLocal || (address.IsIPv4 && session.Remote is { IsIPv4: true, IsLinkLocal: true });
    }
}
