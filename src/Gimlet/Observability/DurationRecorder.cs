namespace Gimlet.Observability;

/// <summary>The mutable side of a <see cref="DurationHistogram"/>; used under the collector's lock.</summary>
internal sealed class DurationRecorder
{
    private readonly long[] _buckets = new long[BucketBounds.Milliseconds.Length + 1];
    private long _count;
    private TimeSpan _sum;
    private TimeSpan _min = TimeSpan.MaxValue;
    private TimeSpan _max;

    public void Add(TimeSpan duration)
    {
        _buckets[BucketBounds.IndexOf(duration)]++;
        _count++;
        _sum += duration;
        _min = duration < _min ? duration : _min;
        _max = duration > _max ? duration : _max;
    }

    public DurationHistogram Snapshot() => new()
    {
        Buckets = Array.AsReadOnly([.. _buckets]),
        Count = _count,
        Sum = _sum,
        Min = _count == 0 ? null : _min,
        Max = _count == 0 ? null : _max,
    };
}
