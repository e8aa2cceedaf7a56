using Gimlet.Calls;
using Gimlet.Signalling;

namespace Gimlet.Node;

/// <content>The ends of dials and calls, and who hears of them.</content>
internal sealed partial class NodeCore
{
    /// <summary>
    /// Nothing more comes of a dial: its callee hears of that by the server that carried the call, and need not wait and punch for it. A dial that was rejected, or
    /// that no server has, ends without a word. What the call's checks have found stays.
    /// </summary>
    public void GiveUp(CallId handle, TimeSpan now)
    {
        int session = _introduced.TryGiveUp(handle, now, out IntroducedDial introduced) ? introduced.Session : -1;
        if (_dials.TryFind(handle, out PendingDial? dial))
        {
            session = dial!.Session;
            _dials.Remove(dial);
        }

        SayHangup(session, handle);
    }

    /// <summary>Ends a dial or a connection.</summary>
    public void Hangup(CallId handle, uint reason, TimeSpan now)
    {
        if (_dials.TryFind(handle, out PendingDial? dial))
        {
            _dials.Remove(dial!);
        }

        _introduced.Remove(handle);
        _serverless.Cancel(handle);
        if (_calls.TryFindHandle(handle, out NodeCall? call))
        {
            call!.Agent.Close(reason, now);
            _calls.RemoveEnded();
        }
    }

    /// <summary>Ends all calls: the node is going, and its peers need not find out by themselves.</summary>
    public void HangupAll(TimeSpan now)
    {
        foreach (NodeCall call in _calls.All)
        {
            call.Agent.Close(0, now);
        }

        _calls.RemoveEnded();
        foreach (PendingDial dial in _dials.All)
        {
            SayHangup(dial.Session, dial.Id);
        }
    }

    private void SayHangup(int session, CallId call)
    {
        if (Find(session)?.State == SignallingState.Registered)
        {
            _signals.Enqueue((session, new HangupMessage { Call = call.ToString() }));
        }
    }

    // The caller of one of its calls has given up. Only a call that was taken matters, so whatever a server says of others leaves nothing behind.
    private void HandleHangup(SignallingSession session, CallId id, TimeSpan now)
    {
        if (!_incoming.IsKnown(id))
        {
            return;
        }

        _events.Enqueue(new CallHungUp(id, session.Index));

        // A path that works, and the search for one while there are connections, is the business of the two peers and no longer of this call. One server does not
        // end what another one carries.
        if (_calls.TryFind(id, out NodeCall? call)
            && call!.IsIncoming && call.Session == session.Index && !call.WasConnected && !HasConnection(call.Agent.Remote))
        {
            call.Agent.Close(0, now);
            _calls.RemoveEnded();
        }
    }
}
