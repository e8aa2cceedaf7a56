using System.Globalization;
using Gimlet.Bench.Common;

namespace Gimlet.Bench.Stun;

/// <summary>Runs both servers under the same load and prints what came out.</summary>
internal static class Comparison
{
    private const string Address = "127.0.0.1";
    private const int WarmUpSeconds = 1;

    public static void Run(BenchOptions options)
    {
        using PinnedProcess gimlet = PinnedProcess.StartRole(options.ServerCore, "--role-serve", Address);
        int gimletPort = int.Parse(gimlet.ReadLine(), CultureInfo.InvariantCulture);
        using PinnedProcess? coturn = Turnserver.TryStart(
            options.ServerCore, Address, out int coturnPort, "--stun-only", "--no-stun-backward-compatibility");
        if (coturn is not null)
        {
            Readiness.WaitUntilItAnswers(Address, coturnPort);
        }

        var ours = new List<Measurement>();
        var theirs = new List<Measurement>();
        double allocated = double.MaxValue;
        for (int round = 0; round < options.Rounds; round++)
        {
            _ = Take(options, gimlet, gimletPort, WarmUpSeconds);

            // Asking allocates a little itself (text, console): asked twice in a row, the difference is its price.
            long price = -Ask(gimlet).Bytes;
            (long Bytes, long Answers) before = Ask(gimlet);
            price += before.Bytes;
            ours.Add(Take(options, gimlet, gimletPort, options.Seconds));
            (long Bytes, long Answers) after = Ask(gimlet);
            allocated = Math.Min(allocated, Math.Max(0, after.Bytes - before.Bytes - price) / (double)(after.Answers - before.Answers));
            if (coturn is not null)
            {
                _ = Take(options, coturn, coturnPort, WarmUpSeconds);
                theirs.Add(Take(options, coturn, coturnPort, options.Seconds));
            }
        }

        Print(options, new CoturnReport("answer", Measurement.Median(ours), theirs.Count == 0 ? null : Measurement.Median(theirs)), allocated);
    }

    private static Measurement Take(BenchOptions options, PinnedProcess server, int port, int seconds) => Measurement.Take(
        server,
        options.LoadCore,
        "--role-load",
        Address,
        port.ToString(CultureInfo.InvariantCulture),
        seconds.ToString(CultureInfo.InvariantCulture));

    private static (long Bytes, long Answers) Ask(PinnedProcess server)
    {
        server.Input.WriteLine();
        string[] parts = server.ReadLine().Split(' ');
        return (long.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    private static void Print(BenchOptions options, CoturnReport report, double allocated)
    {
        if (options.Json)
        {
            report.PrintJson([new("gimlet_allocated_bytes_per_request", Math.Round(allocated, 4))]);
            return;
        }

        Console.WriteLine($"STUN Binding answers, {options.Seconds} s, median of {options.Rounds} rounds, server on core {options.ServerCore}, load on core {options.LoadCore}");
        report.Print($"{allocated:F4} bytes allocated per request");
    }
}
