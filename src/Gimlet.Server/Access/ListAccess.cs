using System.Collections.Frozen;

namespace Gimlet.Server.Access;

/// <summary>A server for a list of ids, which may be exchanged while it runs.</summary>
internal sealed class ListAccess(string source, IEnumerable<PeerId> peers) : IAccessPolicy
{
    private volatile FrozenSet<PeerId> _peers = peers.ToFrozenSet();

    public string Description => $"only for the {_peers.Count} peer ids {source}";

    public string? Refuses(PeerId peer, string? token) => _peers.Contains(peer) ? null : "this peer id is not on the server's list";

    public bool StillWelcome(PeerId peer) => _peers.Contains(peer);

    public void Replace(IEnumerable<PeerId> peers) => _peers = peers.ToFrozenSet();
}
