namespace Gimlet.NatLab.Cells;

/// <summary>One run of one cell. Times in milliseconds, from the dial; a failed run has none.</summary>
/// <param name="Cell">Who dials whom.</param>
/// <param name="Run">From 1.</param>
/// <param name="Outcome">The path that the connection settled on, or <c>failed</c>.</param>
internal sealed record CellRun(string Cell, int Run, string Outcome)
{
    /// <summary>Until the connection was usable (<c>connected.elapsed_ms</c>).</summary>
    public double? ConnectedMs { get; init; }

    /// <summary>
    /// Until the listener had the first byte of the application: from the start of the dial to the listener's <c>ping</c>, by the processes' own stamps on one clock.
    /// </summary>
    public double? FirstByteMs { get; init; }

    /// <summary>Until the first authenticated round trip was complete (the first <c>pong.elapsed_ms</c>).</summary>
    public double? RoundTripMs { get; init; }

    /// <summary>Until the dialler's data used a direct path (<c>elapsed_ms</c> of the first event that says so); null where there is none.</summary>
    public double? DirectMs { get; init; }

    /// <summary>A round trip between the two hosts as the kernels measure it; null where no plain packet gets from one to the other.</summary>
    public double? NetworkMs { get; init; }

    /// <summary>Where the dialler's data went in the end; null for the relay.</summary>
    public string? Remote { get; init; }

    /// <summary>Why the run does not count; null for a good one.</summary>
    public string? Failure { get; init; }
}
