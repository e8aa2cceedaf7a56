using System.Security.Cryptography;
using Gimlet.Access;
using Gimlet.Identity;
using Gimlet.Signalling;

namespace Gimlet.Node;

/// <summary>A call that is to be made.</summary>
/// <param name="Call">Its id.</param>
/// <param name="Peer">Whom.</param>
/// <param name="Protocol">The application protocol that will be dialled; null for a call that only looks for paths.</param>
internal sealed record DialRequest(CallId Call, PeerId Peer, string? Protocol = null)
{
    /// <summary>The secret of the peer's ticket, where there is one.</summary>
    public ReadOnlyMemory<byte> TicketSecret { get; init; }

    /// <summary>Direct paths are wanted. Otherwise the peer is told no address, and looks for no path either.</summary>
    public bool WantsPaths { get; init; } = true;

    /// <summary>A direct path to the peer works already: none is looked for, and the peer is told no address; yet the dial does not depend on the relay.</summary>
    public bool HasPath { get; init; }

    /// <summary>The servers that may know the peer; empty for all.</summary>
    public IReadOnlyList<int> Sessions { get; init; } = [];
}

/// <summary>A dial that waits for its introduction.</summary>
internal sealed class PendingDial(DialRequest request, TimeSpan startedAt, TimeSpan deadline) : IDisposable
{
    public DialRequest Request { get; } = request;

    public CallId Id => Request.Call;

    public PeerId Peer => Request.Peer;

    public TimeSpan StartedAt { get; } = startedAt;

    public TimeSpan Deadline { get; } = deadline;

    /// <summary>The session that carries the call; -1 until one does.</summary>
    public int Session { get; set; } = -1;

    /// <summary>The servers that may know the peer; empty for all that are asked for it.</summary>
    public HashSet<int> Sessions { get; } = [.. request.Sessions];

    /// <summary>Sessions whose server did not know the peer.</summary>
    public HashSet<int> TriedSessions { get; } = [];

    /// <summary>The key of this call alone.</summary>
    public ECDiffieHellman Ephemeral { get; } = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose() => Ephemeral.Dispose();
}

/// <summary>Dials that wait for their introduction, by call id.</summary>
internal sealed class PendingDials
{
    private readonly Dictionary<CallId, PendingDial> _dials = [];

    public IEnumerable<PendingDial> All => _dials.Values;

    public TimeSpan NextTimeout => _dials.Count == 0 ? TimeSpan.MaxValue : _dials.Values.Min(d => d.Deadline);

    public void Add(PendingDial dial) => _dials.Add(dial.Id, dial);

    public bool TryFind(CallId id, out PendingDial? dial) => _dials.TryGetValue(id, out dial);

    public void Remove(PendingDial dial)
    {
        _ = _dials.Remove(dial.Id);
        dial.Dispose();
    }

    public List<PendingDial> Expired(TimeSpan now) => [.. _dials.Values.Where(d => now >= d.Deadline)];

    /// <summary>The <c>connect</c> of a dial, without candidates.</summary>
    public static ConnectMessage Describe(PendingDial dial, NodeIdentity identity)
    {
        byte[] point = P256.ExportPoint(dial.Ephemeral.ExportParameters(includePrivateParameters: false));
        Span<byte> id = stackalloc byte[CallId.Size];
        dial.Id.CopyTo(id);
        ReadOnlyMemory<byte> secret = dial.Request.TicketSecret;
        return new ConnectMessage
        {
            Call = dial.Id.ToString(),
            Target = dial.Peer.ToString(),
            Ephemeral = new SignedKey { Key = point, Signature = identity.Sign(Statement.CallKey(id, identity.Id, dial.Peer, point)) },
            Protocol = dial.Request.Protocol,
            Proof = secret.IsEmpty ? null : TicketProof.Compute(secret.Span, dial.Id, identity.Id, dial.Peer, point),
        };
    }
}
