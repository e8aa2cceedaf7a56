using Gimlet.Calls;
using Gimlet.Node;

namespace Gimlet.Simulation;

/// <summary>What a node's events have said about one call.</summary>
internal sealed class SimCall(CallId handle)
{
    public CallId Handle { get; } = handle;

    public PeerId Peer { get; private set; }

    public bool IsIncoming { get; private set; }

    /// <summary>There is a path at the moment.</summary>
    public bool HasPath { get; private set; }

    /// <summary>The path in use, or the last one that was.</summary>
    public PathInfo Path { get; private set; }

    /// <summary>When the first path worked; null before that.</summary>
    public TimeSpan? ConnectedAt { get; private set; }

    /// <summary>When the last loss was noticed.</summary>
    public TimeSpan? LostAt { get; private set; }

    public int PathChanges { get; private set; }

    public CallFailed? Failure { get; private set; }

    public CallEnd? End { get; private set; }

    public bool IsOver => Failure is not null || End is not null;

    /// <summary>Round trips of this side that came back.</summary>
    public List<CallPong> Pongs { get; } = [];

    /// <summary>Round trips of the peer that were answered here.</summary>
    public List<CallPinged> Pinged { get; } = [];

    public void Apply(CallEvent news, TimeSpan now)
    {
        switch (news)
        {
            case CallConnected connected:
                Peer = connected.Peer;
                IsIncoming = connected.IsIncoming;
                HasPath = true;
                Path = connected.Path;
                ConnectedAt = now;
                break;
            case CallPathChanged changed:
                HasPath = true;
                Path = changed.Path;
                PathChanges++;
                break;
            case CallPathLost:
                HasPath = false;
                LostAt = now;
                break;
            case CallPong pong:
                Pongs.Add(pong);
                break;
            case CallPinged pinged:
                Pinged.Add(pinged);
                break;
            case CallFailed failed:
                HasPath = false;
                Failure = failed;
                break;
            case CallClosed closed:
                HasPath = false;
                End = closed.End;
                break;
            case CallRouted or CallAdmitted or CallIntroduced or CallSharesPath or CallHeard or CallGlared or CallHungUp or CallPathSuspect or CallPathRecovered:
                // What connections live by, and calls alone do not.
                break;
            default:
                throw new InvalidOperationException($"This simulator does not know the event {news}.");
        }
    }
}
