using System.Diagnostics;
using System.Globalization;
using Gimlet.Quic;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>
/// Runs alone: it counts what the whole process holds. GIMLET_LEAK_NODES and GIMLET_LEAK_CONNECTIONS make a longer run of it.
/// </summary>
[CollectionDefinition(nameof(ConnectionLeakTests), DisableParallelization = true)]
[Collection(nameof(ConnectionLeakTests))]
public sealed class ConnectionLeakTests
{
    private static readonly int NodeCount = FromEnvironment("GIMLET_LEAK_NODES", 100);
    private static readonly int ConnectionCount = FromEnvironment("GIMLET_LEAK_CONNECTIONS", 1000);

    // The pool's arrays, the JIT's tables and what the framework caches by itself: far less than a connection leaks if it leaks.
    private const long MemorySlack = 6 * 1024 * 1024;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nodes_and_connections_that_were_disposed_of_leave_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Counts what /proc shows of this process.");
        await using GimletServer server = await Servers.StartAsync(Generous);
        await PlayAsync(server, nodes: 10, connections: 50);
        Counts before = await Counts.SettledAsync(null);
        await PlayAsync(server, NodeCount, ConnectionCount);
        Counts after = await Counts.SettledAsync(before);
        TestContext.Current.SendDiagnosticMessage("before: {0}; after {1} nodes and {2} connections: {3}", before, NodeCount, ConnectionCount, after);
    }

    [Fact]
    public async Task Every_state_in_which_a_node_is_disposed_leaves_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Counts what /proc shows of this process.");
        var unobserved = new List<Exception>();
        void Note(object? sender, UnobservedTaskExceptionEventArgs e)
        {
            lock (unobserved)
            {
                unobserved.Add(e.Exception);
            }
        }

        await using GimletServer server = await Servers.StartAsync(Generous);
        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            foreach (string state in States.All.Select(static s => s.Data))
            {
                await States.PlayAsync(state, server);
            }

            Counts before = await Counts.SettledAsync(null);
            foreach (string state in States.All.Select(static s => s.Data))
            {
                await States.PlayAsync(state, server);
                await States.PlayAsync(state, server);
            }

            _ = await Counts.SettledAsync(before);
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }

        lock (unobserved)
        {
            Assert.True(unobserved.Count == 0, string.Join(Environment.NewLine, unobserved));
        }
    }

    private static int FromEnvironment(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : otherwise;

    private static async Task PlayAsync(GimletServer server, int nodes, int connections)
    {
        int pairs = nodes / 2;
        int made = 0;
        int next = 0;
        async Task WorkAsync()
        {
            while (Interlocked.Increment(ref next) is int number && number <= pairs)
            {
                int played = await PlayPairAsync(server, (int)((long)connections * number / pairs) - (int)((long)connections * (number - 1) / pairs));
                _ = Interlocked.Add(ref made, played);
            }
        }

        // A few pairs at a time: as many as the machine has use for.
        await Task.WhenAll(WorkAsync(), WorkAsync(), WorkAsync(), WorkAsync());
        Assert.Equal(connections, made);
    }

    private static async Task<int> PlayPairAsync(GimletServer server, int connections)
    {
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        for (int i = 0; i < connections; i++)
        {
            (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, new ConnectOptions { Policy = i % 3 == 0 ? PathPolicy.RelayOnly : PathPolicy.RelayThenDirect });
            await using QuicStream stream = await ofA.OpenStreamAsync(QuicStreamType.Bidirectional, Cancelled).Within();
            await stream.WriteAsync(new byte[100], Cancelled).Within();
            await using QuicStream atB = await ofB.AcceptStreamAsync(Cancelled).Within();
            _ = await ofB.PingAsync(Cancelled).Within();
            await (i % 2 == 0 ? ofA : ofB).CloseAsync().Within();
            _ = await ofA.Closed.Within();
            _ = await ofB.Closed.Within();
        }

        return connections;
    }

    /// <summary>What the process holds.</summary>
    private readonly record struct Counts(int Sockets, int Files, int Threads, long Timers, long Bytes)
    {
        /// <summary>The counts when they are not more than others, or, without others, when two looks in a row are the same.</summary>
        public static async Task<Counts> SettledAsync(Counts? limit)
        {
            var waited = Stopwatch.StartNew();
            Counts last = Now();
            while (true)
            {
                // Sockets in use by a kernel's close, threads of the pool that idle: they go within moments, and a leak does not.
                await Task.Delay(50, Cancelled);
                Counts now = Now();
                if (limit is { } most
                    ? now.Sockets <= most.Sockets && now.Files <= most.Files && now.Timers <= most.Timers && now.Threads <= most.Threads + 20 && now.Bytes <= most.Bytes + MemorySlack
                    : now.Sockets == last.Sockets && now.Timers == last.Timers && now.Files == last.Files)
                {
                    return now;
                }

                Assert.True(waited.Elapsed < Deadline, $"before: {limit}; after: {now}");
                last = now;
            }
        }

        private static Counts Now()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            int sockets = 0;
            int files = 0;
            foreach (string fd in Directory.GetFiles("/proc/self/fd"))
            {
                try
                {
                    // The runtime keeps an assembly's file open from its first use on, which may be anybody's.
                    string? target = new FileInfo(fd).LinkTarget;
                    files += target is null || target.EndsWith(".dll", StringComparison.Ordinal) ? 0 : 1;
                    sockets += target?.StartsWith("socket:", StringComparison.Ordinal) == true ? 1 : 0;
                }
                catch (IOException)
                {
                    // Closed between the listing and the look.
                }
            }

            return new Counts(sockets, files, Directory.GetDirectories("/proc/self/task").Length, Timer.ActiveCount, GC.GetTotalMemory(forceFullCollection: true));
        }
    }
}
