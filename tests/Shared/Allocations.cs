namespace Gimlet.TestSupport;

/// <summary>Asserts that something allocates nothing once it is warm.</summary>
internal static class Allocations
{
    /// <summary>How often an action runs to be warm, and as often again while it is watched.</summary>
    public const int Runs = 1000;

    public static void AssertNone(Action action, int runs = Runs)
    {
        for (int i = 0; i < runs; i++)
        {
            action();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < runs; i++)
        {
            action();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
