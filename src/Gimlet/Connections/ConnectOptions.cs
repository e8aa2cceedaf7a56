namespace Gimlet;

/// <summary>How a peer is dialled.</summary>
public sealed record ConnectOptions
{
    /// <summary>The application protocol (ALPN); null for the first of <see cref="GimletNodeOptions.Protocols"/>.</summary>
    public string? Protocol { get; init; }

    /// <summary>Which paths; null for <see cref="GimletNodeOptions.PathPolicy"/>.</summary>
    public PathPolicy? Policy { get; init; }

    /// <summary>The peer's ticket: its secret, where it has one, and the servers where the peer is.</summary>
    public Ticket? Ticket { get; init; }

    /// <summary>Called with the id of the call before the first message leaves.</summary>
    public Action<CallId>? Dialing { get; init; }

    /// <summary>
    /// Waits until both sides know what became of the direct path and of the relay, and both have said so; the connection then carries a
    /// <see cref="GimletConnection.Race"/>. Null (default): returns as soon as data can flow.
    /// </summary>
    public RaceOptions? Race { get; init; }

    /// <summary>
    /// How many handshakes may meet what is left of an older connection before the dial fails, 1 to 100. Each clears away what the two sides believed differently; three
    /// (default) in a row mean that something else is wrong.
    /// </summary>
    public int MaxStaleConnections { get; init; } = DefaultMaxStaleConnections;

    internal const int DefaultMaxStaleConnections = 3;

    private const int MostStaleConnections = 100;

    internal void Validate()
    {
        Race?.Validate();
        if (MaxStaleConnections is < 1 or > MostStaleConnections)
        {
            throw new GimletException(
                GimletErrorKind.BadUsage, $"ConnectOptions.MaxStaleConnections is {MaxStaleConnections}; it must be 1 to {MostStaleConnections}.", "Leave it out for 3.");
        }
    }
}

/// <summary>The times of a race (<see cref="ConnectOptions.Race"/>).</summary>
public sealed record RaceOptions
{
    /// <summary>How long the direct path may take. 2 s: forty round trips of 50 ms; what has not opened by then seldom does.</summary>
    public TimeSpan DirectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the relay may take. 5 s: three lost packets of the handshake in a row.</summary>
    public TimeSpan RelayTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the slower of the two is waited for once the other works. 1 s.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(1);

    internal void Validate()
    {
        foreach ((string name, TimeSpan value) in new[] { (nameof(DirectTimeout), DirectTimeout), (nameof(RelayTimeout), RelayTimeout), (nameof(Grace), Grace) })
        {
            if (value <= TimeSpan.Zero || value > TimeSpan.FromMinutes(1))
            {
                throw new GimletException(GimletErrorKind.BadUsage, $"RaceOptions.{name} is {value}; it must be more than zero and at most a minute.");
            }
        }
    }
}
