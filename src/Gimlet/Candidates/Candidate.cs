using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Candidates;

/// <summary>An address where a node may be reached.</summary>
/// <param name="Kind">Where it comes from.</param>
/// <param name="Address">The address.</param>
/// <param name="Unverified">A public address that the server did not observe itself: three checks at most.</param>
/// <param name="Proof">The server's own proof that it saw this node there; sent to the server only.</param>
internal readonly record struct Candidate(CandidateKind Kind, TransportAddress Address, bool Unverified = false, byte[]? Proof = null)
{
    /// <summary>A public address where the server itself saw the node: by its WebSocket, or by a proof.</summary>
    public bool IsProven => !Unverified && !Address.IsPrivate && !Address.IsLinkLocal && !Address.IsLoopback;

    public CandidateDescription ToDescription() => new()
    {
        Kind = KindText(Kind),
        Address = Address.ToString(),
        Proof = Proof,
        Unverified = Unverified ? true : null,
    };

    /// <summary>Reads a candidate of the wire; false for one this version does not know or that has no usable address.</summary>
    public static bool TryRead(CandidateDescription? description, out Candidate candidate)
    {
        candidate = default;
        if (!TransportAddress.TryParse(description?.Address, out TransportAddress address))
        {
            return false;
        }

        CandidateKind? kind = description.Kind switch
        {
            CandidateKindText.Host => CandidateKind.Host,
            CandidateKindText.ServerReflexive => CandidateKind.ServerReflexive,
            CandidateKindText.PeerReflexive => CandidateKind.PeerReflexive,
            CandidateKindText.Mapped => CandidateKind.Mapped,
            _ => null,
        };
        if (kind is null)
        {
            return false;
        }

        candidate = new Candidate(kind.Value, address, description.Unverified ?? false);
        return true;
    }

    public static string KindText(CandidateKind kind) => kind switch
    {
        CandidateKind.Host => CandidateKindText.Host,
        CandidateKind.ServerReflexive => CandidateKindText.ServerReflexive,
        CandidateKind.PeerReflexive => CandidateKindText.PeerReflexive,
        CandidateKind.Mapped => CandidateKindText.Mapped,
        _ => CandidateKindText.Relayed,
    };
}
