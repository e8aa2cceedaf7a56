namespace Gimlet.Simulation.Tests;

/// <summary>One of the two: its machine, the router that it is behind, and its present process.</summary>
internal sealed class Side(int number, SimHost host, Router? router)
{
    public int Number { get; } = number;

    public SimHost Host { get; } = host;

    /// <summary>Null on the street.</summary>
    public Router? Router { get; set; } = router;

    public SimNode Node { get; set; } = null!;

    public SimConnections Connections => Node.Connections!;

    /// <summary>How often it changed its network.</summary>
    public int Moves { get; set; }

    /// <summary>What it does with the connection.</summary>
    public Traffic Traffic { get; set; } = null!;

    /// <summary>The connection that its application has.</summary>
    public SimConnection Connection => Traffic.Connection ?? throw new InvalidOperationException($"{Host.Name} has no connection");

    /// <summary>The link between it and everything else.</summary>
    public Link Link => Host.Link;
}
