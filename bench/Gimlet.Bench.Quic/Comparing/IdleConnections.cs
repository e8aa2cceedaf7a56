using System.Globalization;
using System.Text.Json;
using Gimlet.Bench.Common;

namespace Gimlet.Bench.Quic.Comparing;

/// <summary>How much memory a connection costs the server that does nothing.</summary>
internal static class IdleConnections
{
    // So many first, and not counted: code, pools and tables that one connection needs as well as ten thousand.
    private const int First = 100;

    public static void Run(BenchOptions options, Identity identity)
    {
        foreach (string library in options.Contestants.Where(static c => c is "bcl" or "libcrypto"))
        {
            using PinnedProcess server = PinnedProcess.StartRole(options.Cores, "--role-server", library, identity.Folder);
            string port = server.ReadLine();
            using PinnedProcess client = PinnedProcess.StartRole(options.Cores, "--role-client", library, identity.Folder, port, "Idle");
            Connect(client, First);
            (long managed, long resident) = Settled(server);
            Connect(client, options.Idle);
            (long managedAfter, long residentAfter) = Settled(server);
            double managedEach = (managedAfter - managed) / (double)options.Idle;
            double residentEach = (residentAfter - resident) / (double)options.Idle;
            Console.WriteLine(options.Json
                ? JsonSerializer.Serialize(new
                {
                    library,
                    connections = options.Idle,
                    managed_bytes_per_connection = Math.Round(managedEach),
                    working_set_bytes_per_connection = Math.Round(residentEach),
                })
                : $"{library,-10} {options.Idle:N0} idle connections: {managedEach:N0} managed bytes and {residentEach:N0} bytes of working set each on the server's side");
        }
    }

    private static void Connect(PinnedProcess client, int count)
    {
        client.Input.WriteLine(count.ToString(CultureInfo.InvariantCulture));
        _ = client.ReadLine();
    }

    private static (long Managed, long Resident) Settled(PinnedProcess server)
    {
        server.Input.WriteLine("memory");
        string[] parts = server.ReadLine().Split(' ');
        return (long.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture));
    }
}
