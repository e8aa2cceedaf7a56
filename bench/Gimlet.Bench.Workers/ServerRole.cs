using System.Globalization;
using System.Net;
using Gimlet.Server;

namespace Gimlet.Bench.Workers;

/// <summary>
/// The rendezvous as a child: prints its port, then for every line of input what lives on its heap after a collection, and what the process has in memory. Ends with
/// its input, or when it is killed.
/// </summary>
internal static class ServerRole
{
    public static async Task<int> RunAsync(string[] args)
    {
        GimletServer server = await GimletServer.StartAsync(new GimletServerOptions
        {
            Http = new IPEndPoint(IPAddress.Any, int.Parse(args[0], CultureInfo.InvariantCulture)),
            Stun = null,

            // Nobody is offered to anybody: they are to be idle.
            Workers = new GimletWorkersOptions { Pairing = WorkerPairing.Manual },
        }).ConfigureAwait(false);
        Console.WriteLine(server.HttpUrls[0].Port);
        while (await Console.In.ReadLineAsync().ConfigureAwait(false) is not null)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{GC.GetTotalMemory(forceFullCollection: true)} {Environment.WorkingSet}"));
        }

        await server.DisposeAsync().ConfigureAwait(false);
        return 0;
    }
}
