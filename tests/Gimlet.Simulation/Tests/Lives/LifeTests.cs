using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>
/// Thousands of lives of a connection with a running transfer. Whatever happened: all bytes arrive, in order, once; both sides end on the same path, a direct one
/// where there can be one; nothing is left of it. The parts run beside each other, each with the seeds of its own; <c>GIMLET_SIM_SEEDS</c> is the
/// number of all of them.
/// </summary>
public abstract class LifeTests(ITestOutputHelper output, int part)
{
    // Issue 4: "thousands of seeded lives of a connection".
    private const int Lives = 2000;
    private const int Parts = 4;

    [Fact]
    public void Whatever_happens_everything_arrives_both_agree_on_the_path_and_nothing_is_left()
    {
        List<Life> lives = [];
        Seeds.RunPart(Lives, part, Parts, (seed, trace) =>
        {
            Life life = new(seed, trace);
            life.Run();
            lives.Add(life);
        });
        double[] settled = [.. lives.Where(static l => l.EndedDirect && l.EventCount > 0).Select(static l => l.SettledAfter.TotalSeconds).Order()];
        double[] gaps = [.. lives.Select(static l => l.LongestGap.TotalSeconds).Order()];
        output.WriteLine(
            $"{lives.Count} lives, {lives.Sum(static l => l.EventCount)} events, {lives.Count(static l => l.EndedDirect)} direct at the end; "
            + $"direct again after {At(settled, 0.5):0.0} s in the median, {At(settled, 0.9):0.0} s in 90 %, {At(settled, 1):0.0} s at most; "
            + $"longest gap {At(gaps, 0.5):0.00} s in the median, {At(gaps, 0.9):0.0} s in 90 %, {At(gaps, 1):0.0} s at most");

        static double At(double[] sorted, double share) => sorted.Length == 0 ? 0 : sorted[(int)Math.Min(sorted.Length * share, sorted.Length - 1)];
    }
}

/// <summary>The first part.</summary>
public sealed class FirstLifeTests(ITestOutputHelper output) : LifeTests(output, part: 0);

/// <summary>The second part.</summary>
public sealed class SecondLifeTests(ITestOutputHelper output) : LifeTests(output, part: 1);

/// <summary>The third part.</summary>
public sealed class ThirdLifeTests(ITestOutputHelper output) : LifeTests(output, part: 2);

/// <summary>The fourth part.</summary>
public sealed class FourthLifeTests(ITestOutputHelper output) : LifeTests(output, part: 3);
