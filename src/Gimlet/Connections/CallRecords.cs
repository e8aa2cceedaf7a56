using System.Collections.Concurrent;
using Gimlet.Node;
using Gimlet.Observability;

namespace Gimlet.Connections;

/// <summary>Turns the news of calls into statistics and spans. Fed by the task that tells news, except for dials, which begin by themselves.</summary>
internal sealed class CallRecords(StatisticsCollector statistics)
{
    private readonly ConcurrentDictionary<CallId, Entry> _records = new();

    /// <summary>A dial begins.</summary>
    public CallRecord Begin(CallId call, PeerId peer, PathPolicy policy)
    {
        CallRecord record = statistics.BeginCall(call, peer, CallDirection.Outgoing, TextOf(policy));
        record.HandshakeStarted();
        _records[call] = new Entry(record, IsDial: true);
        return record;
    }

    /// <summary>The record of a call that was taken, for the connection that it led to.</summary>
    public CallRecord? Find(CallId call) => _records.TryGetValue(call, out Entry entry) ? entry.Record : null;

    /// <summary>News of a call.</summary>
    /// <param name="news">What happened.</param>
    /// <param name="hasConnection">Whether a connection with a peer is open: then the relay works already.</param>
    public void Handle(CallEvent news, Func<PeerId, bool> hasConnection)
    {
        switch (news)
        {
            case CallRouted routed when !_records.ContainsKey(routed.Handle):
                CallRecord outgoing = statistics.BeginCall(routed.Handle, routed.Peer, CallDirection.Outgoing, TextOf(PathPolicy.RelayThenDirect));
                outgoing.RelayWorks(hasConnection(routed.Peer));
                _records[routed.Handle] = new Entry(outgoing, IsDial: false);
                break;
            case CallAdmitted admitted:
                CallRecord incoming = statistics.BeginCall(admitted.Handle, admitted.Peer, CallDirection.Incoming, TextOf(PathPolicy.RelayThenDirect));
                incoming.RelayWorks(hasConnection(admitted.Peer));
                incoming.Introduced();
                _records[admitted.Handle] = new Entry(incoming, IsDial: admitted.Protocol is not null);
                break;
            case CallIntroduced introduced:
                Find(introduced.Handle)?.Introduced();
                Find(introduced.Handle)?.PunchStarted();
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
    public void End(CallId call, GimletErrorKind? error, PathKind? path, RelayCause cause)
    {
        if (_records.TryRemove(call, out Entry entry))
        {
            entry.Record.End(error, path, cause);
        }
    }

    private static string TextOf(PathPolicy policy) => policy.Kind switch
    {
        PathPolicyKind.RelayThenDirect => "relay-then-direct",
        PathPolicyKind.DirectHeadStart => "direct-head-start",
        PathPolicyKind.DirectOnly => "direct-only",
        _ => "relay-only",
    };

    private void HandleFailed(CallFailed failed)
    {
        if (Find(failed.Handle) is not { } record)
        {
            return;
        }

        RelayCause cause = failed.Verdict?.Cause ?? (failed.LeavesRelay ? RelayCause.PeerUnsupported : RelayCause.NotIntroduced);
        if (failed.Verdict is not null)
        {
            record.PunchFailed(cause);
        }
        else if (failed.LeavesRelay)
        {
            record.Introduced();
            record.PunchSkipped(cause);
        }

        EndPunch(failed.Handle, failed.LeavesRelay ? null : failed.Kind, failed.LeavesRelay ? PathKind.Relay : null, cause);
    }

    // A call that only looked for paths is over with its punch; a dial lives on in its connection.
    private void EndPunch(CallId call, GimletErrorKind? error, PathKind? path, RelayCause cause)
    {
        if (_records.TryGetValue(call, out Entry entry) && !entry.IsDial)
        {
            End(call, error, path, cause);
        }
    }

    private readonly record struct Entry(CallRecord Record, bool IsDial);
}
