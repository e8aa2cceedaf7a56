using System.Globalization;
using System.Net;
using Gimlet.Server;

namespace Gimlet.Bench.Relay;

/// <summary>
/// Gimlet's server as a child: prints its end point, then for every line of input what it has allocated in all, what lives on its heap, and what the process has in memory.
/// </summary>
internal static class ServerRole
{
    public static int Run(string[] args)
    {
        GimletServer server = GimletServer.StartAsync(new GimletServerOptions
        {
            Http = new IPEndPoint(IPAddress.Parse(args[0]), 0),
            Stun = null,

            // The limits of a node and of an address, away: all the load comes from one.
            Limits = new RendezvousLimits { RelayBytesPerSecond = 0, RelayFramesPerSecond = int.MaxValue, NodesPerAddress = 20_000 },
        }).GetAwaiter().GetResult();
        Console.WriteLine(server.HttpUrls[0].Authority);
        while (Console.ReadLine() is { } line)
        {
            // "live" asks for a collection first; in the middle of a measurement that would be a disturbance.
            bool collect = line == "live";
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{allocated} {GC.GetTotalMemory(collect)} {Environment.WorkingSet}"));
        }

        server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return 0;
    }
}
