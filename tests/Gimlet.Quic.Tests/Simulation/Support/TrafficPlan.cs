namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>What one side of a <see cref="Traffic"/> does.</summary>
internal sealed record TrafficPlan
{
    /// <summary>Streams it opens, of both directions by turns.</summary>
    public int Streams { get; init; } = 1;

    /// <summary>Bytes on each part that it sends: at most, or exactly where <see cref="IsExact"/>.</summary>
    public int Bytes { get; init; } = 100_000;

    /// <summary>Whether every stream has all of <see cref="Bytes"/>, and is bidirectional.</summary>
    public bool IsExact { get; init; }

    /// <summary>Whether it answers on the peer's bidirectional streams with data, too.</summary>
    public bool Answers { get; init; } = true;

    /// <summary>Of its parts, so many are reset before their end, from 0 to 1.</summary>
    public double Resets { get; init; }

    /// <summary>Of the peer's parts, so many are not read to their end, from 0 to 1.</summary>
    public double Stops { get; init; }

    /// <summary>DATAGRAM frames that it sends.</summary>
    public int Datagrams { get; init; }

    /// <summary>How often it lets data lie for a while before it reads, from 0 to 1.</summary>
    public double Laziness { get; init; } = 0.1;

    /// <summary>The largest single write and read in bytes.</summary>
    public int Chunk { get; init; } = 20_000;

    /// <summary>Only listens.</summary>
    public static TrafficPlan Silent { get; } = new() { Streams = 0, Answers = false, Laziness = 0 };

    /// <summary>A download: one stream, all bytes, read at once.</summary>
    public static TrafficPlan Bulk(int bytes) =>
        new() { Streams = 1, Bytes = bytes, IsExact = true, Answers = false, Laziness = 0, Chunk = 100_000 };
}
