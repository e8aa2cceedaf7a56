using System.Globalization;
using System.Net;
using Gimlet.Stun.Server.Hosting;

namespace Gimlet.Bench.Stun;

/// <summary>Gimlet's server as a child: prints its port, then for every line of input what it has allocated and answered.</summary>
internal static class ServerRole
{
    public static int Run(string[] args)
    {
        var endPoint = new IPEndPoint(IPAddress.Parse(args[0]), 0);
        StunServer server = StunServer.Start(new StunServerOptions { Listen = [endPoint] });
        Console.WriteLine(server.EndPoints[0].Port.ToString(CultureInfo.InvariantCulture));
        while (Console.ReadLine() is not null)
        {
            Console.WriteLine($"{GC.GetTotalAllocatedBytes(precise: true)} {server.Counters.Answered}");
        }

        server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return 0;
    }
}
