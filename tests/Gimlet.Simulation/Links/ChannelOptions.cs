namespace Gimlet.Simulation;

/// <summary>How a reliable channel behaves in time.</summary>
internal sealed record ChannelOptions
{
    /// <summary>Round trips before the first message can leave: TCP, TLS 1.3, WebSocket upgrade.</summary>
    public int HandshakeRoundTrips { get; init; } = 3;

    /// <summary>How long a connect is tried where nothing answers.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long data may wait for a path that swallows everything. Linux' TCP_USER_TIMEOUT as servers set it; its default is minutes.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(20);
}

/// <summary>How a channel ended.</summary>
/// <param name="Code">The close code that the other end gave; 1006 (RFC 6455 section 7.4.1) when it broke.</param>
/// <param name="Reason">The reason in words.</param>
internal readonly record struct ChannelClose(int Code, string Reason)
{
    public const int Abnormal = 1006;
}
