using Gimlet.Stun.Discovery;

namespace Gimlet;

/// <summary>What one side knows of its NAT.</summary>
/// <param name="Mapping">How it maps.</param>
/// <param name="Filtering">How it filters.</param>
/// <param name="Evidence">Why this is believed, in sentences; empty where nothing is known.</param>
public sealed record NatWords(MappingBehavior Mapping, FilteringBehavior Filtering, string Evidence)
{
    /// <summary>Nothing is known.</summary>
    public static NatWords Unknown { get; } = new(MappingBehavior.Unknown, FilteringBehavior.Unknown, string.Empty);

    internal static NatWords Of(NatBehavior? nat) => nat is null ? Unknown : new(nat.Mapping, nat.Filtering, nat.Evidence);
}

/// <summary>What a <see cref="RelayVerdict"/> rests on.</summary>
/// <param name="Own">This side's NAT.</param>
/// <param name="Peer">The peer's NAT, in its own words.</param>
/// <param name="ChecksSent">Checks that this side sent.</param>
/// <param name="ChecksAnswered">Answers to them that arrived.</param>
/// <param name="ChecksReceived">Authenticated checks of the peer that arrived.</param>
/// <param name="CandidatesTried">How many addresses of the peer were tried.</param>
public sealed record RelayEvidence(NatWords Own, NatWords Peer, int ChecksSent, int ChecksAnswered, int ChecksReceived, int CandidatesTried)
{
    /// <summary>Nothing was tried and nothing is known.</summary>
    public static RelayEvidence None { get; } = new(NatWords.Unknown, NatWords.Unknown, 0, 0, 0, 0);
}

/// <summary>Why a connection is relayed: a typed cause, what it rests on, and what would help.</summary>
/// <param name="Cause">The cause.</param>
/// <param name="Evidence">What it rests on.</param>
public sealed record RelayVerdict(RelayCause Cause, RelayEvidence Evidence)
{
    /// <summary>The path is direct.</summary>
    public static RelayVerdict NotRelayed { get; } = new(RelayCause.NotRelayed, RelayEvidence.None);

    /// <summary>True while data goes through a server.</summary>
    public bool IsRelayed => Cause != RelayCause.NotRelayed;

    /// <summary>The cause in one clause.</summary>
    public string Explanation => Cause.Explanation();

    /// <summary>What would help, in one sentence.</summary>
    public string WhatWouldHelp => Cause.WhatWouldHelp();

    /// <summary>The stable string of the cause and the clause.</summary>
    public override string ToString() => $"{Cause.ToCauseString()}: {Explanation}";

    internal static RelayVerdict Of(RelayCause cause, RelayEvidence? evidence = null) => new(cause, evidence ?? RelayEvidence.None);
}
