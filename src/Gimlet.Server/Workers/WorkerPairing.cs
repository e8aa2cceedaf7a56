namespace Gimlet.Server;

/// <summary>The usual policies.</summary>
public static class WorkerPairing
{
    /// <summary>Whoever waits next: within its group, and among those without one.</summary>
    public static IWorkerPairing NextWaiting { get; } = new Next();

    /// <summary>Members of a group only; a worker without a group waits for nobody.</summary>
    public static IWorkerPairing ByGroup { get; } = new Group();

    /// <summary>Nobody, but by hand (<c>POST /api/connect</c>).</summary>
    public static IWorkerPairing Manual { get; } = new Hand();

    private sealed class Next : IWorkerPairing
    {
        public string? MeetingPoint(WorkerDescription worker) => string.Empty;
    }

    private sealed class Group : IWorkerPairing
    {
        public string? MeetingPoint(WorkerDescription worker) => worker.Group;
    }

    private sealed class Hand : IWorkerPairing
    {
        public string? MeetingPoint(WorkerDescription worker) => null;
    }
}
