using Gimlet.Calls;

namespace Gimlet.Simulation;

/// <summary>One <c>ConnectAsync</c> from its beginning to its connection, as <c>Dial</c>.</summary>
internal sealed class SimDial(CallId call, PeerId peer, string protocol, ISimApplication application)
{
    public CallId CurrentCall { get; set; } = call;

    public PeerId Peer { get; } = peer;

    public string Protocol { get; } = protocol;

    /// <summary>Gets the connection.</summary>
    public ISimApplication Application { get; } = application;

    /// <summary>The peer's connection is waited for, not one of our own.</summary>
    public bool IsJoining { get; set; }

    /// <summary>Until when it is waited for.</summary>
    public TimeSpan JoinUntil { get; set; } = TimeSpan.MaxValue;

    /// <summary>It is to begin as soon as there is a path to begin on.</summary>
    public bool WantsPath { get; set; }

    /// <summary>A server carries the call.</summary>
    public bool IsRouted { get; set; }

    /// <summary>The peer was told of the call, and this side of the peer.</summary>
    public bool IsIntroduced { get; set; }

    public int StaleConnections { get; set; }

    /// <summary>The connection that is being made.</summary>
    public SimConnection? Attempt { get; set; }

    /// <summary>What it came to.</summary>
    public SimConnection? Connection { get; set; }

    public string? Failure { get; set; }

    public bool IsOver => Connection is not null || Failure is not null;

    /// <summary>Takes the attempt: whoever gets it decides what becomes of it.</summary>
    public SimConnection? TakeAttempt()
    {
        SimConnection? attempt = Attempt;
        Attempt = null;
        return attempt;
    }
}
