namespace Gimlet.NatLab.Cells;

/// <summary>One run of one cell. Times in milliseconds; a run that was meant to fail (or did) has none.</summary>
/// <param name="Cell">Who dials whom.</param>
/// <param name="Run">From 1.</param>
/// <param name="ConnectedMs">From the dial until the connection was usable (<c>connected.elapsed_ms</c>).</param>
/// <param name="RoundTripMs">From the dial until the first authenticated round trip was complete (the first <c>pong.elapsed_ms</c>).</param>
/// <param name="PongMs">That round trip itself.</param>
/// <param name="NetworkMs">A round trip between the two hosts as the kernels measure it; null where no plain packet gets from one to the other.</param>
/// <param name="Outcome"><c>direct</c>, or the kind of the error that ended it.</param>
/// <param name="Failure">Why the run does not count; null for a good one.</param>
internal sealed record CellRun(
    string Cell, int Run, double? ConnectedMs, double? RoundTripMs, double? PongMs, double? NetworkMs, string Outcome, string? Failure);
