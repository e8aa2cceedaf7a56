using Gimlet.Sockets;

namespace Gimlet.Server.Workers;

/// <summary>What the host knows about a worker that asks to come in.</summary>
internal readonly record struct WorkerInfo
{
    /// <summary>The name; a <see cref="WorkerName"/>.</summary>
    public required string WorkerId { get; init; }

    /// <summary>The group; a <see cref="WorkerName"/>, or null.</summary>
    public string? Group { get; init; }

    /// <summary>The other end, as seen by this server or named by a trusted proxy.</summary>
    public required TransportAddress Remote { get; init; }

    /// <summary>The host and port that it dialled, in the form of <see cref="Identity.Statement.Authority"/>.</summary>
    public required string Authority { get; init; }
}
