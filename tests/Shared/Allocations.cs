namespace Gimlet.TestSupport;

/// <summary>Asserts that something allocates nothing once it is warm.</summary>
internal static class Allocations
{
    /// <summary>How often the action runs: half of them to be warm.</summary>
    public const int Runs = 2000;

    public static void AssertNone(Action action)
    {
        for (int i = 0; i < Runs / 2; i++)
        {
            action();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Runs / 2; i++)
        {
            action();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
