namespace Gimlet.Simulation;

/// <summary>The world's time as a wall clock, for code that writes dates.</summary>
internal sealed class VirtualClock(World world) : TimeProvider
{
    /// <summary>Any date will do; this one makes a Unix time that is easy to recognise in a dump.</summary>
    private static readonly DateTimeOffset Origin = DateTimeOffset.FromUnixTimeSeconds(2_000_000_000);

    public override DateTimeOffset GetUtcNow() => Origin + world.Now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => world.Now.Ticks;
}
