using Gimlet.Sockets;

namespace Gimlet.Calls;

/// <summary>What a call tells its host. Called from within the core, one at a time; implementations must not call back into it.</summary>
internal interface ICallEvents
{
    /// <summary>A path works: a check of ours was answered. Once per call, and once more after each loss.</summary>
    void PathProven(CallAgent call, CandidatePair pair, TimeSpan now);

    /// <summary>The path in use has become another one.</summary>
    void PathChanged(CallAgent call, CandidatePair pair, string reason, TimeSpan now);

    /// <summary>The path in use does not answer at the moment.</summary>
    void PathSuspect(CallAgent call, TimeSpan now);

    /// <summary>The path in use answers again.</summary>
    void PathRecovered(CallAgent call, CandidatePair pair, TimeSpan now);

    /// <summary>An authenticated check of the peer came from an address for the first time.</summary>
    void PeerHeard(CallAgent call, TransportAddress remote, TimeSpan now);

    /// <summary>The path in use is dead and others are being tried.</summary>
    void PathLost(CallAgent call, TimeSpan now);

    /// <summary>An application's round trip came back.</summary>
    void PingAnswered(CallAgent call, uint sequence, TimeSpan roundTripTime, TransportAddress remote, TimeSpan now);

    /// <summary>A round trip of the peer's application was answered.</summary>
    void PingReceived(CallAgent call, uint sequence, TransportAddress remote, TimeSpan now);

    /// <summary>The call is over; no further event follows.</summary>
    void Ended(CallAgent call, CallEnd end, TimeSpan now);
}

/// <summary>How a call ended.</summary>
internal enum CallEnd
{
    /// <summary>No pair worked before the deadline.</summary>
    PunchFailed,

    /// <summary>The path died and no pair worked again.</summary>
    PathLost,

    /// <summary>The peer closed the call.</summary>
    ClosedByPeer,

    /// <summary>This side closed the call, and the peer knows or could not be told.</summary>
    Closed,
}
