using Gimlet.Sockets;

namespace Gimlet.Server.Rendezvous;

/// <summary>What the host knows about a new WebSocket.</summary>
internal readonly record struct ConnectionInfo
{
    /// <summary>The other end, as seen by this server or named by a trusted proxy.</summary>
    public required TransportAddress Remote { get; init; }

    /// <summary>The host and port that the node dialled, in the form of <see cref="Identity.Statement.Authority"/>.</summary>
    public required string Authority { get; init; }

    /// <summary>The time, on the clock of all other calls.</summary>
    public required TimeSpan Now { get; init; }
}
