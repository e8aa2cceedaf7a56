using System.Globalization;
using Gimlet.Quic.Protection;

namespace Gimlet.Bench.Quic.Roles;

/// <summary>
/// The server as a child: prints its port, then for every line of input its processor seconds and allocated bytes; for the line
/// "memory" managed bytes and working set once nothing moves any longer.
/// </summary>
internal static class ServerRole
{
    // Closed connections linger for three probe timeouts, buffers go back to pools, and pools are trimmed by collections.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);

    public static async Task<int> RunAsync(string[] args)
    {
        (string library, string folder) = (args[0], args[1]);
        using BatchMeter? batches = BatchMeter.StartIfWanted("server");
        await using ILoadServer server = library == "sslstream" ? new SslServer(folder) : new GimletServer(Protection(library), folder);
        Console.WriteLine(server.Port.ToString(CultureInfo.InvariantCulture));
        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine(line == "memory" ? await SettledMemoryAsync() : FormattableString.Invariant(
                $"{Environment.CpuUsage.TotalTime.TotalSeconds:R} {GC.GetTotalAllocatedBytes(precise: false)}"));
        }

        return 0;
    }

    public static ProtectionChoice Protection(string library) =>
        library == "bcl" ? ProtectionChoice.BaseClassLibrary : ProtectionChoice.LibCrypto;

    private static async Task<string> SettledMemoryAsync()
    {
        await Task.Delay(Settling);
        for (int i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return FormattableString.Invariant($"{GC.GetTotalMemory(forceFullCollection: true)} {Environment.WorkingSet}");
    }
}

/// <summary>A server that does what <see cref="Command"/> says.</summary>
internal interface ILoadServer : IAsyncDisposable
{
    int Port { get; }
}
