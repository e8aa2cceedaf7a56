namespace Gimlet.Quic.Tests.Wire.Support;

/// <summary>Asserts that something allocates nothing once it is warm.</summary>
internal static class Allocations
{
    private const int Runs = 500;

    public static void AssertNone(Action action)
    {
        for (int i = 0; i < Runs; i++)
        {
            action();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Runs; i++)
        {
            action();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
