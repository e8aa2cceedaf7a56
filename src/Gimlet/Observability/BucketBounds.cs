namespace Gimlet;

/// <summary>The bounds of <see cref="DurationHistogram"/>, in the units of both of their users.</summary>
internal static class BucketBounds
{
    /// <summary>For the statistics.</summary>
    public static readonly double[] Milliseconds = [5, 10, 20, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000, 10_000];

    /// <summary>For the meter: OpenTelemetry's durations are in seconds.</summary>
    public static readonly double[] Seconds = [.. Milliseconds.Select(static ms => ms / 1000)];

    /// <summary>The bucket of a duration.</summary>
    public static int IndexOf(TimeSpan duration)
    {
        double ms = duration.TotalMilliseconds;
        int index = 0;
        while (index < Milliseconds.Length && ms > Milliseconds[index])
        {
            index++;
        }

        return index;
    }
}
