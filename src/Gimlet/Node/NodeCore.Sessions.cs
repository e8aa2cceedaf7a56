using Gimlet.Signalling;

namespace Gimlet.Node;

/// <content>
/// The servers that tickets name, beside those that the node was given. A ticket is anybody's: its servers do not get the token, serve the calls of those peers alone for whose
/// sake they are spoken with, and go when these are of no interest any more.
/// </content>
internal sealed partial class NodeCore
{
    /// <summary>The node speaks with one server more, which a ticket named.</summary>
    /// <returns>The number of its session; never that of another one.</returns>
    public int AddSession() => Add(token: null, isConfigured: false);

    /// <summary>The peer needs the session.</summary>
    public void NeedSession(int session, PeerId peer)
    {
        if (Find(session) is { IsConfigured: false } found)
        {
            _ = found.Peers.Add(peer);
        }
    }

    /// <summary>The peer needs no session any more.</summary>
    /// <returns>Sessions that nobody needs now; the host closes them and calls <see cref="RemoveSession"/>.</returns>
    public IReadOnlyList<int> ReleaseSessions(PeerId peer)
    {
        List<int>? free = null;
        foreach (SignallingSession session in _sessions)
        {
            if (session.Peers.Remove(peer) && session.Peers.Count == 0)
            {
                (free ??= []).Add(session.Index);
            }
        }

        return free ?? (IReadOnlyList<int>)[];
    }

    /// <summary>The node does not speak with that server any more. What comes of it later is ignored.</summary>
    public void RemoveSession(int session, TimeSpan now)
    {
        SignallingClosed(session, now);
        _ = _sessions.RemoveAll(s => s.Index == session);
    }

    private SignallingSession? Find(int session)
    {
        foreach (SignallingSession known in _sessions)
        {
            if (known.Index == session)
            {
                return known;
            }
        }

        return null;
    }

    private int Add(string? token, bool isConfigured)
    {
        var session = new SignallingSession(_nextSession++, _options.Identity, token, this) { IsConfigured = isConfigured };
        _sessions.Add(session);
        return session.Index;
    }
}
