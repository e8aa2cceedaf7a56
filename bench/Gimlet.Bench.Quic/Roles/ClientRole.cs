using System.Globalization;

namespace Gimlet.Bench.Quic.Roles;

/// <summary>
/// The client as a child. For every line of input with a number of seconds it loads the server that long and prints: bytes, count, seconds,
/// processor seconds, allocated bytes. For the idle workload the number is one of connections, which are then kept.
/// </summary>
internal static class ClientRole
{
    public static async Task<int> RunAsync(string[] args)
    {
        (string library, string folder, string workload) = (args[0], args[1], args[3]);
        using BatchMeter? batches = BatchMeter.StartIfWanted("client");
        int port = int.Parse(args[2], CultureInfo.InvariantCulture);
        await using ILoadClient client =
            library == "sslstream" ? new SslClient(folder, port) : new GimletClient(ServerRole.Protection(library), folder, port);
        while (Console.ReadLine() is { } line)
        {
            int number = int.Parse(line, CultureInfo.InvariantCulture);
            if (workload == "Idle")
            {
                await client.ConnectIdleAsync(number);
                Console.WriteLine("connected");
                continue;
            }

            var span = new LoadSpan(TimeSpan.FromSeconds(number));
            await client.LoadAsync(Enum.Parse<Workload>(workload), span);
            Console.WriteLine(span.Result);
        }

        return 0;
    }
}

/// <summary>A client that loads a server.</summary>
internal interface ILoadClient : IAsyncDisposable
{
    /// <summary>Prepares, calls <see cref="LoadSpan.Begin"/>, counts, and waits for <see cref="LoadSpan.EndAsync"/>.</summary>
    Task LoadAsync(Workload workload, LoadSpan span);

    /// <summary>Makes connections and keeps them.</summary>
    Task ConnectIdleAsync(int count);
}
