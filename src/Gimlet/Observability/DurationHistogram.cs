using System.Collections.ObjectModel;

namespace Gimlet;

/// <summary>How often something took how long: fixed buckets, and count, sum, least and most. Immutable.</summary>
public sealed record DurationHistogram
{
    /// <summary>
    /// The upper bounds of the buckets in milliseconds, inclusive; one more bucket has the rest. 5 to 20: one machine and one LAN. 50 to 300, in finer steps:
    /// two or three round trips within a continent and between two, which is where a relay or a punch shows. 500, 1,000 and 2,000: the head start and the
    /// time-outs of a race. 5,000: the deadline of a punch. 10,000: that of an introduction.
    /// </summary>
    public static ReadOnlyCollection<double> BoundsMilliseconds { get; } = Array.AsReadOnly(BucketBounds.Milliseconds);

    /// <summary>How many fell into each bucket; one number more than there are bounds.</summary>
    public required IReadOnlyList<long> Buckets { get; init; }

    /// <summary>How many were recorded.</summary>
    public required long Count { get; init; }

    /// <summary>All of them together.</summary>
    public required TimeSpan Sum { get; init; }

    /// <summary>The shortest; null before there was one.</summary>
    public required TimeSpan? Min { get; init; }

    /// <summary>The longest; null before there was one.</summary>
    public required TimeSpan? Max { get; init; }

    /// <summary>The mean; null before there was one.</summary>
    public TimeSpan? Mean => Count == 0 ? null : Sum / Count;

    /// <summary>True when both have recorded the same.</summary>
    /// <param name="other">The other histogram.</param>
    public bool Equals(DurationHistogram? other) => other is not null && Count == other.Count && Sum == other.Sum && Min == other.Min && Max == other.Max
        && Buckets.SequenceEqual(other.Buckets);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Count, Sum, Min, Max);
}
