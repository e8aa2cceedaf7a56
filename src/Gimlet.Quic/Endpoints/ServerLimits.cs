namespace Gimlet.Quic.Endpoints;

/// <summary>What an endpoint permits strangers while it serves.</summary>
/// <param name="MaxConnections">Connections of all states and roles.</param>
/// <param name="MaxHalfOpen">Handshakes that are under way.</param>
/// <param name="RetryThreshold">Handshakes under way beyond which clients must prove their address; -1: always.</param>
/// <param name="IsQueueFull">Whether the application takes connections slower than they come.</param>
internal sealed record ServerLimits(int MaxConnections, int MaxHalfOpen, int RetryThreshold, Func<bool> IsQueueFull);
