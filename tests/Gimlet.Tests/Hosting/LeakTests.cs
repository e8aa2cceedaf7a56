using System.Diagnostics;
using Gimlet.Tests.Support;
using static Gimlet.Tests.Hosting.LocalNode;

namespace Gimlet.Tests.Hosting;

/// <summary>Runs alone: it counts what the whole process holds.</summary>
[CollectionDefinition(nameof(LeakTests), DisableParallelization = true)]
[Collection(nameof(LeakTests))]
public sealed class LeakTests
{
    [Fact]
    public async Task Fifty_starts_and_ends_leave_no_socket_and_no_thread_behind()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Counts what /proc shows of this process.");
        await using var stun = FakeStun.Honest();
        await StartAndEnd(stun, 5);
        (int sockets, int threads) = Count();
        await StartAndEnd(stun, 50);

        // The thread pool grows and shrinks by itself; fifty nodes that leak a thread each show all the same. Sockets are exact.
        var waited = Stopwatch.StartNew();
        while (Count() is var (openSockets, running) && (openSockets > sockets || running > threads + 20))
        {
            Assert.True(waited.Elapsed < Deadline, $"before: {sockets} sockets and {threads} threads; after: {openSockets} and {running}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private static async Task StartAndEnd(FakeStun stun, int times)
    {
        for (int i = 0; i < times; i++)
        {
            GimletNode node = await StartAsync(Options(stun.Name));
            await node.DisposeAsync().AsTask().Within();
        }
    }

    private static (int Sockets, int Threads) Count()
    {
        int sockets = 0;
        foreach (string fd in Directory.GetFiles("/proc/self/fd"))
        {
            try
            {
                sockets += new FileInfo(fd).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true ? 1 : 0;
            }
            catch (IOException)
            {
                // Closed between the listing and the look.
            }
        }

        return (sockets, Directory.GetDirectories("/proc/self/task").Length);
    }
}
