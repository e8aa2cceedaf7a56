using System.Net;

namespace Gimlet;

/// <summary>What a race between the direct path and the relay came to (<see cref="ConnectOptions.Race"/>).</summary>
public sealed record RaceReport
{
    /// <summary>The path that both sides agreed on: direct where it works for both, else the relay.</summary>
    public required PathKind Winner { get; init; }

    /// <summary>What this side would have chosen.</summary>
    public required PathKind LocalWinner { get; init; }

    /// <summary>What the peer would have chosen; null where it did not say.</summary>
    public required PathKind? PeerWinner { get; init; }

    /// <summary>The direct path as this side saw it.</summary>
    public required RaceLeg Direct { get; init; }

    /// <summary>The relay as this side saw it.</summary>
    public required RaceLeg Relay { get; init; }

    /// <summary>Each address of the peer that was tried.</summary>
    public required IReadOnlyList<CandidateCheck> Candidates { get; init; }
}

/// <summary>One of the two in a race.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Elapsed">From the dial to the outcome.</param>
/// <param name="Detail">Why, in words.</param>
public sealed record RaceLeg(RaceOutcome Outcome, TimeSpan Elapsed, string? Detail = null);

/// <summary>What became of one side of a race.</summary>
public enum RaceOutcome
{
    /// <summary>It does not work. <c>failed</c></summary>
    Failed,

    /// <summary>It works. <c>works</c></summary>
    Works,

    /// <summary>It was not tried: the policy does not allow it. <c>not-tried</c></summary>
    NotTried,

    /// <summary>It did not end in time. <c>timed-out</c></summary>
    TimedOut,
}

/// <summary>What checks showed of one address of the peer.</summary>
/// <param name="Index">In the order in which the addresses became known.</param>
/// <param name="Address">The address.</param>
/// <param name="Kind">What kind of candidate it is.</param>
/// <param name="Works">A check was answered.</param>
/// <param name="ChecksSent">How many were sent.</param>
/// <param name="Elapsed">From the call's introduction to the first answer; null where none came.</param>
/// <param name="RoundTripTime">The last round trip; null where none came.</param>
public sealed record CandidateCheck(int Index, IPEndPoint Address, CandidateKind Kind, bool Works, int ChecksSent, TimeSpan? Elapsed, TimeSpan? RoundTripTime);
