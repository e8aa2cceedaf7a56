namespace Gimlet.Simulation;

/// <summary>What one direction of a link does to packets.</summary>
internal sealed record LinkConditions
{
    /// <summary>A wire inside a house.</summary>
    public static LinkConditions Lan { get; } = new() { Latency = TimeSpan.FromMicroseconds(100) };

    /// <summary>One-way delay.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>Added to the latency, uniform from zero to this. A queue does not reorder: packets keep their order all the same.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Probability that a packet is lost, 0 to 1.</summary>
    public double Loss { get; init; }

    /// <summary>Probability that a packet arrives twice, 0 to 1.</summary>
    public double Duplication { get; init; }

    /// <summary>Probability that a packet is held back and overtaken by later ones, 0 to 1.</summary>
    public double Reordering { get; init; }

    /// <summary>How long a reordered packet is held back at most.</summary>
    public TimeSpan ReorderDelay { get; init; } = TimeSpan.FromMilliseconds(20);
}
