namespace Gimlet.Server;

/// <summary>
/// Who is introduced to whom. Two workers that wait at the same meeting point are offered to each other at once. Contract: called while the rendezvous holds its
/// lock, from any thread, never twice at the same time; it decides at once, without I/O, and throws nothing.
/// </summary>
public interface IWorkerPairing
{
    /// <summary>Where a worker waits, whenever it begins to wait.</summary>
    /// <param name="worker">The worker.</param>
    /// <returns>Any name; null when nobody is offered to it but by hand. Workers of different groups never meet, whatever the name.</returns>
    string? MeetingPoint(WorkerDescription worker);
}

/// <summary>What is known of a worker that begins to wait.</summary>
/// <param name="WorkerId">The name under which it registered.</param>
/// <param name="Group">Its group; null for none.</param>
/// <param name="PeerId">The peer id that it has proven; null for none.</param>
public readonly record struct WorkerDescription(string WorkerId, string? Group, PeerId? PeerId);
