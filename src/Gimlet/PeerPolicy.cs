namespace Gimlet;

/// <summary>Who may connect to a node.</summary>
public sealed class PeerPolicy
{
    private readonly HashSet<PeerId>? _allowed;

    private PeerPolicy(HashSet<PeerId>? allowed) => _allowed = allowed;

    /// <summary>Everyone who knows the id. Callers get this node's addresses at once.</summary>
    public static PeerPolicy Everyone { get; } = new(null);

    /// <summary>True for <see cref="Everyone"/>.</summary>
    public bool IsEveryone => _allowed is null;

    /// <summary>Only these peers. Others are refused at the server and never learn this node's addresses.</summary>
    /// <param name="peers">The ids.</param>
    public static PeerPolicy Only(IEnumerable<PeerId> peers) => new([.. peers]);

    /// <summary>True when the peer may connect.</summary>
    /// <param name="peer">Its id.</param>
    public bool Allows(PeerId peer) => _allowed is null || _allowed.Contains(peer);
}
