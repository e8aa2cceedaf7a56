using Gimlet.Node;
using Gimlet.Observability;

namespace Gimlet.Connections;

/// <summary>
/// Turns the news of calls into statistics and spans. Fed by the task that tells news, except for dials, which begin by themselves, and for connections, which may
/// overtake the news of their call. Thread-safe.
/// </summary>
/// <remarks>
/// Each record ends, or a peer could make the table grow: a dial with its failure or its connection, a peer's dial with its connection or when none is expected any
/// more, a call that looks for paths with its punch, and what is left with the node.
/// </remarks>
internal sealed class CallRecords(StatisticsCollector statistics)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<CallId, Entry> _entries = [];
    private bool _isClosed;

    /// <summary>Calls that have not ended.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>A dial begins.</summary>
    public CallRecord? Begin(CallId call, PeerId peer, PathPolicy policy)
    {
        Entry? entry = GetOrAdd(call, peer, CallDirection.Outgoing, policy, isDial: true, isAnnounced: true);
        entry?.Record.HandshakeStarted();
        return entry?.Record;
    }

    /// <summary>A dial goes on as another call.</summary>
    public void Rename(CallId before, CallId now)
    {
        lock (_gate)
        {
            if (_entries.Remove(before, out Entry? entry))
            {
                _entries[now] = entry;
            }
        }
    }

    /// <summary>The record of a call, for the connection that it led to; null for none.</summary>
    public CallRecord? Find(CallId call)
    {
        Entry? entry;
        lock (_gate)
        {
            _ = _entries.TryGetValue(call, out entry);
        }

        return entry?.Record;
    }

    /// <summary>
    /// The record of a peer's call, for the connection that it led to just now: begun here where the news of the call, which will come, has not been told yet.
    /// </summary>
    public CallRecord? FindIncoming(CallId call, PeerId peer) =>
        GetOrAdd(call, peer, CallDirection.Incoming, PathPolicy.RelayThenDirect, isDial: true, isAnnounced: false)?.Record;

    /// <summary>News of a call.</summary>
    /// <param name="news">What happened.</param>
    /// <param name="hasConnection">Whether a connection with a peer is open: then the relay works already.</param>
    public void Handle(CallEvent news, Func<PeerId, bool> hasConnection)
    {
        switch (news)
        {
            case CallRouted { IsDial: false } routed:
                GetOrAdd(routed.Handle, routed.Peer, CallDirection.Outgoing, PathPolicy.RelayThenDirect, isDial: false, isAnnounced: true)
                    ?.Record.RelayWorks(hasConnection(routed.Peer));
                break;
            case CallAdmitted admitted:
                HandleAdmitted(admitted, hasConnection);
                break;
            case CallIntroduced introduced:
                CallRecord? punching = Find(introduced.Handle);
                punching?.Introduced();
                punching?.PunchStarted();
                break;
            case CallSharesPath shares:
                Find(shares.Handle)?.Introduced();
                break;
            case CallConnected connected:
                Find(connected.Handle)?.PunchSucceeded();
                EndPunch(connected.Handle, null, PathKind.Direct, RelayCause.NotRelayed);
                break;
            case CallFailed failed:
                HandleFailed(failed);
                break;
            case CallClosed closed:
                EndPunch(closed.Handle, null, null, RelayCause.PathDied);
                break;
            default:
                break;
        }
    }

    /// <summary>The dial, or the connection that it led to, is over.</summary>
    public void End(CallId call, GimletErrorKind? error, PathKind? path, RelayCause cause) => Take(call)?.End(error, path, cause);

    /// <summary>Whoever dialled wants no connection any more.</summary>
    public void Cancel(CallId call) => Take(call)?.Cancel();

    /// <summary>The node is going: what has not ended is given up, and nothing begins any more.</summary>
    public void Close()
    {
        Entry[] left;
        lock (_gate)
        {
            _isClosed = true;
            left = [.. _entries.Values];
            _entries.Clear();
        }

        foreach (Entry entry in left)
        {
            entry.Record.Cancel();
        }
    }

    private static string TextOf(PathPolicy policy) => policy.Kind switch
    {
        PathPolicyKind.RelayThenDirect => "relay-then-direct",
        PathPolicyKind.DirectHeadStart => "direct-head-start",
        PathPolicyKind.DirectOnly => "direct-only",
        _ => "relay-only",
    };

    private void HandleAdmitted(CallAdmitted admitted, Func<PeerId, bool> hasConnection)
    {
        bool isDial = admitted.Protocol is not null;
        Entry? entry = GetOrAdd(admitted.Handle, admitted.Peer, CallDirection.Incoming, PathPolicy.RelayThenDirect, isDial, isAnnounced: true);
        if (entry is null)
        {
            return;
        }

        entry.Record.RelayWorks(hasConnection(admitted.Peer));
        entry.Record.Introduced();
        if (!isDial && !admitted.LooksForPaths)
        {
            // It looks for paths and there is none to look at: nothing more will be told of it.
            End(admitted.Handle, null, null, RelayCause.NoCandidates);
        }
    }

    private void HandleFailed(CallFailed failed)
    {
        Entry? entry;
        lock (_gate)
        {
            _ = _entries.TryGetValue(failed.Handle, out entry);
        }

        if (entry is null)
        {
            return;
        }

        RelayCause? cause = failed.Verdict?.Cause
            ?? failed.Skipped
            ?? (!failed.LeavesRelay ? RelayCause.NotIntroduced : entry.AllowsDirect ? null : RelayCause.RelayOnlyPolicy);
        if (failed.Verdict is not null)
        {
            entry.Record.PunchFailed(cause!.Value);
        }
        else if (failed.LeavesRelay)
        {
            entry.Record.Introduced();
            if (cause is { } why)
            {
                // Without a cause there is a direct path already, and nothing falls back to the relay.
                entry.Record.PunchSkipped(why);
            }
        }

        EndPunch(failed.Handle, failed.LeavesRelay ? null : failed.Kind, failed.LeavesRelay ? PathKind.Relay : null, cause ?? RelayCause.NotRelayed);
    }

    // A call that only looked for paths is over with its punch; a dial lives on in its connection.
    private void EndPunch(CallId call, GimletErrorKind? error, PathKind? path, RelayCause cause)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(call, out Entry? entry) || entry.IsDial)
            {
                return;
            }
        }

        End(call, error, path, cause);
    }

    private Entry? GetOrAdd(CallId call, PeerId peer, CallDirection direction, PathPolicy policy, bool isDial, bool isAnnounced)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(call, out Entry? known))
            {
                known.IsAnnounced |= isAnnounced;
                if (known.IsAnnounced && known.IsOver)
                {
                    _ = _entries.Remove(call);
                }

                return known;
            }

            if (_isClosed)
            {
                return null;
            }

            // Listeners of the meter and of the spans are foreign code: they are called without the lock, by whoever looks at the record first.
            var begun = new Lazy<CallRecord>(() => statistics.BeginCall(call, peer, direction, TextOf(policy)));
            return _entries[call] = new Entry(begun, isDial, policy.AllowsDirect) { IsAnnounced = isAnnounced };
        }
    }

    private CallRecord? Take(CallId call)
    {
        Entry? entry;
        lock (_gate)
        {
            if (!_entries.TryGetValue(call, out entry))
            {
                return null;
            }

            if (entry.IsAnnounced)
            {
                _ = _entries.Remove(call);
            }
            else
            {
                // Its news is on its way, and must not begin it once more.
                entry.IsOver = true;
            }
        }

        return entry.Record;
    }

    private sealed class Entry(Lazy<CallRecord> record, bool isDial, bool allowsDirect)
    {
        public CallRecord Record => record.Value;

        public bool IsDial { get; } = isDial;

        public bool AllowsDirect { get; } = allowsDirect;

        /// <summary>The task that tells news has told of the call; guarded by the table's lock, as the next.</summary>
        public bool IsAnnounced { get; set; }

        public bool IsOver { get; set; }
    }
}
