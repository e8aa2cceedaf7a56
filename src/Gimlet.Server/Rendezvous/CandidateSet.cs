using Gimlet.Signalling;

namespace Gimlet.Server.Rendezvous;

/// <summary>
/// Candidates that passed <see cref="CandidateFilter"/>: without proofs, marked, in the node's order. Loopback candidates, where
/// there are any, go to nodes on the server's own machine only: for all others they would name the reader itself.
/// </summary>
internal sealed class CandidateSet
{
    public static CandidateSet Empty { get; } = new([], []);

    private readonly CandidateDescription[] _all;
    private readonly CandidateDescription[] _withoutLoopback;

    public CandidateSet(CandidateDescription[] all, CandidateDescription[] withoutLoopback)
    {
        _all = all;
        _withoutLoopback = withoutLoopback;
    }

    public int Count => _all.Length;

    /// <summary>What a session may be told.</summary>
    public CandidateDescription[] For(RendezvousSession reader) => reader.SeesLoopback ? _all : _withoutLoopback;
}
