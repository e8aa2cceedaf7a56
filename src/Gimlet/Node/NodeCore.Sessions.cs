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

    /// <summary>
    /// The server has closed a session because another one registered with this node's key. Where that was a session of this node, the two are one server by two names, and the
    /// younger one takes what the older one had.
    /// </summary>
    /// <returns>True when it was so.</returns>
    public bool TryMergeReplaced(int session)
    {
        if (Find(session) is not { IsConfigured: false } replaced
            || _sessions.Find(s => s != replaced && s.State is SignallingState.Registered or SignallingState.AwaitingRegistered && IsSameServer(s, replaced)) is not { } other)
        {
            return false;
        }

        Merge(replaced, other);
        return true;
    }

    /// <summary>
    /// The server has closed a configured session because another one registered with this node's key, which a session of this node's own was about to do: it is to be
    /// opened again. Asked once.
    /// </summary>
    public bool TakeReplacedByOwn(int session)
    {
        if (Find(session) is not { MayBeReplacedByOwn: true } replaced)
        {
            return false;
        }

        replaced.MayBeReplacedByOwn = false;
        return true;
    }

    bool ISignallingOwner.IsDuplicate(SignallingSession session)
    {
        SignallingSession? other = _sessions.Find(
            s => s != session && s.State is SignallingState.Registered or SignallingState.AwaitingRegistered && IsSameServer(s, session));
        if (other is null || (!session.IsConfigured && !other.IsConfigured))
        {
            // Of two tickets' servers each may say that it is the other; what is true shows when the second registration replaces the first.
            return false;
        }

        if (!session.IsConfigured)
        {
            session.Closed();
            Merge(session, other);
            return true;
        }

        if (!other.IsConfigured)
        {
            // This one is here to stay, and waits for no server that says it were the same one: its registration replaces the other's, and it takes over what
            // that has (MergeInto), at once where the other's is under way. Then nobody knows which of the two the server sees first, and replaces.
            if (other.State == SignallingState.AwaitingRegistered)
            {
                session.MayBeReplacedByOwn = true;
                other.Closed();
                Merge(other, session);
            }

            return false;
        }

        // Of two configured names one is enough while it works.
        session.GiveUp("it is the same server as another one of this node's");
        return true;
    }

    private static bool IsSameServer(SignallingSession one, SignallingSession other) =>
        one.ServerInstance is { } instance && other.ServerInstance is { } others && instance.AsSpan().SequenceEqual(others);

    // A configured session has registered: sessions of tickets with the same server have been replaced by it.
    private void MergeInto(SignallingSession session)
    {
        foreach (SignallingSession other in session.IsConfigured ? _sessions.Where(s => !s.IsConfigured && s.State != SignallingState.Down && IsSameServer(s, session)).ToList() : [])
        {
            Merge(other, session);
        }
    }

    private void Merge(SignallingSession from, SignallingSession into)
    {
        into.Peers.UnionWith(into.IsConfigured ? [] : from.Peers);
        foreach (PendingDial dial in _dials.All.Where(d => d.Sessions.Contains(from.Index)))
        {
            _ = dial.Sessions.Add(into.Index);
        }

        foreach (NodeCall call in _calls.All.Where(c => c.Session == from.Index))
        {
            call.Session = into.Index;
        }

        _introduced.Move(from.Index, into.Index);
        _events.Enqueue(new SessionMerged(from.Index, into.Index));
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
