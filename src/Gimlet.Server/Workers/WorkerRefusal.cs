namespace Gimlet.Server.Workers;

/// <summary>Why an HTTP request is refused.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Kind">A stable word, for the metrics.</param>
/// <param name="Detail">The reason in words, for whoever asked.</param>
internal sealed record WorkerRefusal(int Status, string Kind, string Detail);
