using Gimlet.Calls;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Node;

/// <summary>A call of this node: its agent and what the events about it need.</summary>
internal sealed class NodeCall(CallId handle, CallAgent agent, int session, bool isIncoming, bool isAuthenticated, TimeSpan startedAt, NatDescription? peerNat)
{
    public CallId Handle { get; } = handle;

    public CallAgent Agent { get; } = agent;

    /// <summary>The signalling session that carries it; -1 for none.</summary>
    public int Session { get; set; } = session;

    public bool IsIncoming { get; } = isIncoming;

    public bool IsAuthenticated { get; } = isAuthenticated;

    public TimeSpan StartedAt { get; } = startedAt;

    /// <summary>What the peer says of its NAT.</summary>
    public NatDescription? PeerNat { get; set; } = peerNat;

    public bool WasConnected { get; set; }
}

/// <summary>The calls that have an agent, by call id, and the translation of their events into the node's.</summary>
internal sealed class CallTable(Queue<NodeEvent> events, Func<NodeCall, TimeSpan, CallFailed> explainPunchFailure) : ICallEvents
{
    private readonly Dictionary<CallId, NodeCall> _byCall = [];
    private readonly Dictionary<CallId, NodeCall> _byHandle = [];
    private readonly List<NodeCall> _ended = [];

    public int IncomingCount { get; private set; }

    /// <summary>A path was lost since this was last set to false: the node's own mapping may be another one.</summary>
    public bool PathWasLost { get; set; }

    public IReadOnlyCollection<NodeCall> All => _byCall.Values;

    public TimeSpan NextTimeout
    {
        get
        {
            TimeSpan next = TimeSpan.MaxValue;
            foreach (NodeCall call in _byCall.Values)
            {
                TimeSpan due = call.Agent.NextTimeout;
                next = due < next ? due : next;
            }

            return next;
        }
    }

    /// <summary>How many calls of one peer are open.</summary>
    public int CountIncomingFrom(PeerId peer)
    {
        int count = 0;
        foreach (NodeCall call in _byCall.Values)
        {
            count += call.IsIncoming && call.Agent.Remote == peer ? 1 : 0;
        }

        return count;
    }

    public bool TryFind(CallId call, out NodeCall? found) => _byCall.TryGetValue(call, out found);

    public bool TryFindHandle(CallId handle, out NodeCall? found) => _byHandle.TryGetValue(handle, out found);

    public void Add(NodeCall call)
    {
        _byCall.Add(call.Agent.Id, call);
        _byHandle.Add(call.Handle, call);
        IncomingCount += call.IsIncoming ? 1 : 0;
    }

    /// <summary>Forgets a call without a word to anybody.</summary>
    public void Drop(NodeCall call)
    {
        _ended.Add(call);
        RemoveEnded();
    }

    public void HandleTimeout(TimeSpan now)
    {
        foreach (NodeCall call in _byCall.Values)
        {
            if (now >= call.Agent.NextTimeout)
            {
                call.Agent.HandleTimeout(now);
            }
        }

        RemoveEnded();
    }

    /// <summary>Forgets the calls that have ended. Not done within their events: the table may be in the middle of a walk.</summary>
    public void RemoveEnded()
    {
        foreach (NodeCall call in _ended)
        {
            _ = _byCall.Remove(call.Agent.Id);
            _ = _byHandle.Remove(call.Handle);
            IncomingCount -= call.IsIncoming ? 1 : 0;
            call.Agent.Dispose();
        }

        _ended.Clear();
    }

    public void PathProven(CallAgent call, CandidatePair pair, TimeSpan now)
    {
        NodeCall known = _byCall[call.Id];
        if (known.WasConnected)
        {
            events.Enqueue(new CallPathChanged(known.Handle, PathInfo.Of(pair), "recovered", now - known.StartedAt));
            return;
        }

        known.WasConnected = true;
        events.Enqueue(new CallConnected(known.Handle, call.Id, call.Remote, known.IsIncoming, known.IsAuthenticated, PathInfo.Of(pair), now - known.StartedAt));
    }

    public void PathChanged(CallAgent call, CandidatePair pair, string reason, TimeSpan now)
    {
        NodeCall known = _byCall[call.Id];
        events.Enqueue(new CallPathChanged(known.Handle, PathInfo.Of(pair), reason, now - known.StartedAt));
    }

    public void PathSuspect(CallAgent call, TimeSpan now) => events.Enqueue(new CallPathSuspect(_byCall[call.Id].Handle));

    public void PathRecovered(CallAgent call, CandidatePair pair, TimeSpan now) =>
        events.Enqueue(new CallPathRecovered(_byCall[call.Id].Handle, PathInfo.Of(pair)));

    public void PeerHeard(CallAgent call, TransportAddress remote, TimeSpan now) =>
        events.Enqueue(new CallHeard(_byCall[call.Id].Handle, call.Remote, remote, IsServerless: _byCall[call.Id].Session < 0));

    public void PathLost(CallAgent call, TimeSpan now)
    {
        NodeCall known = _byCall[call.Id];
        PathWasLost = true;
        events.Enqueue(new CallPathLost(known.Handle, now - known.StartedAt));
    }

    public void PingAnswered(CallAgent call, uint sequence, TimeSpan roundTripTime, TransportAddress remote, TimeSpan now) =>
        events.Enqueue(new CallPong(_byCall[call.Id].Handle, sequence, roundTripTime, remote));

    public void PingReceived(CallAgent call, uint sequence, TransportAddress remote, TimeSpan now) =>
        events.Enqueue(new CallPinged(_byCall[call.Id].Handle, sequence, remote));

    public void Ended(CallAgent call, CallEnd end, TimeSpan now)
    {
        NodeCall known = _byCall[call.Id];
        _ended.Add(known);
        events.Enqueue(end switch
        {
            CallEnd.PunchFailed => explainPunchFailure(known, now),

            // Its checks were answered and it hung up, before ours were: somebody may be waiting for the connection that this never became.
            CallEnd.ClosedByPeer when !known.WasConnected => new CallFailed(
                known.Handle,
                GimletErrorKind.Refused,
                $"{call.Remote} ended the call before it became a connection.",
                "The other side is shutting down, or takes no more connections at the moment; try again."),
            _ => new CallClosed(known.Handle, end),
        });
    }
}
