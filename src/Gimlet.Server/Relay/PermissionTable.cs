namespace Gimlet.Server.Relay;

/// <summary>
/// Who may send relayed datagrams to one session (docs/protocol.md section 6): the peers it was introduced to, those it has sent to itself, and, with a
/// few datagrams, callers that wait for its answer. Bounded; the least recently used goes first. Other sessions' threads ask it, so it has a lock of
/// its own; a session that takes no part in relaying costs one small object.
/// </summary>
/// <param name="capacity">The most peers it holds.</param>
internal sealed class PermissionTable(int capacity)
{
    private const int None = -1;
    private const int FirstEntries = 2;

    private readonly Lock _gate = new();
    private Dictionary<PeerId, int>? _index;
    private Entry[] _entries = [];
    private int _used;
    private int _free = None;
    private int _newest = None;
    private int _oldest = None;

    /// <summary>How many peers it holds.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _index?.Count ?? 0;
            }
        }
    }

    /// <summary>Lets a peer send from now on.</summary>
    public void Admit(PeerId peer)
    {
        lock (_gate)
        {
            Reach(peer).IsAdmitted = true;
        }
    }

    /// <summary>A call of this peer waits for the session's answer: until then it may send a few datagrams.</summary>
    /// <param name="peer">The caller.</param>
    /// <param name="datagrams">How many.</param>
    public void BeginWait(PeerId peer, int datagrams)
    {
        lock (_gate)
        {
            ref Entry entry = ref Reach(peer);
            entry.Waits++;
            entry.Credit = datagrams;
        }
    }

    /// <summary>One call of this peer waits no longer. Whom nothing else admits is forgotten.</summary>
    public void EndWait(PeerId peer)
    {
        lock (_gate)
        {
            if (_index is null || !_index.TryGetValue(peer, out int at))
            {
                return;
            }

            ref Entry entry = ref _entries[at];
            entry.Waits = Math.Max(0, entry.Waits - 1);
            if (entry.Waits == 0 && !entry.IsAdmitted)
            {
                Remove(at);
            }
        }
    }

    /// <summary>How many of a sender's datagrams pass; what waits for an accept uses up its share by asking.</summary>
    /// <param name="peer">The sender.</param>
    /// <param name="datagrams">How many it has.</param>
    public int Take(PeerId peer, int datagrams)
    {
        lock (_gate)
        {
            if (_index is null || !_index.TryGetValue(peer, out int at))
            {
                return 0;
            }

            Touch(at);
            ref Entry entry = ref _entries[at];
            if (entry.IsAdmitted)
            {
                return datagrams;
            }

            int passed = Math.Min(datagrams, entry.Credit);
            entry.Credit -= passed;
            return passed;
        }
    }

    // The entry of a peer, made where there is none, and now the newest.
    private ref Entry Reach(PeerId peer)
    {
        _index ??= [];
        if (_index.TryGetValue(peer, out int at))
        {
            Touch(at);
            return ref _entries[at];
        }

        if (_index.Count >= capacity)
        {
            Remove(_oldest);
        }

        if (_free != None)
        {
            at = _free;
            _free = _entries[at].Older;
        }
        else
        {
            if (_used == _entries.Length)
            {
                Array.Resize(ref _entries, Math.Min(capacity, Math.Max(FirstEntries, 2 * _used)));
            }

            at = _used++;
        }

        _entries[at] = new Entry { Peer = peer };
        _index.Add(peer, at);
        Link(at);
        return ref _entries[at];
    }

    private void Touch(int at)
    {
        if (_newest != at)
        {
            Unlink(at);
            Link(at);
        }
    }

    private void Remove(int at)
    {
        Unlink(at);
        _ = _index!.Remove(_entries[at].Peer);
        _entries[at] = new Entry { Older = _free };
        _free = at;
    }

    private void Link(int at)
    {
        ref Entry entry = ref _entries[at];
        entry.Older = _newest;
        entry.Newer = None;
        if (_newest == None)
        {
            _oldest = at;
        }
        else
        {
            _entries[_newest].Newer = at;
        }

        _newest = at;
    }

    private void Unlink(int at)
    {
        Entry entry = _entries[at];
        if (entry.Newer == None)
        {
            _newest = entry.Older;
        }
        else
        {
            _entries[entry.Newer].Older = entry.Older;
        }

        if (entry.Older == None)
        {
            _oldest = entry.Newer;
        }
        else
        {
            _entries[entry.Older].Newer = entry.Newer;
        }
    }

    private struct Entry
    {
        public PeerId Peer;
        public int Older;
        public int Newer;
        public int Waits;
        public int Credit;
        public bool IsAdmitted;
    }
}
