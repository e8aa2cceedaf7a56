namespace Gimlet.Sockets.Tests;

/// <summary>Counts what a piece of code allocates on its own thread.</summary>
internal static class Allocations
{
    private const int Windows = 5;

    /// <summary>
    /// The bytes that <paramref name="rounds"/> calls allocate. A collection in the middle, made by a test that runs beside
    /// this one, adds up to one allocation quantum (8 KiB) to the thread's figure; what the code itself allocates is in
    /// every window. So the smallest window is the figure.
    /// </summary>
    public static long Of(Action round, int rounds)
    {
        for (int i = 0; i < 100; i++)
        {
            round();
        }

        long smallest = long.MaxValue;
        for (int window = 0; window < Windows; window++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < rounds; i++)
            {
                round();
            }

            smallest = Math.Min(smallest, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return smallest;
    }
}
