using System.Globalization;
using Gimlet.Bench.Common;

namespace Gimlet.Bench.Relay;

/// <summary>Runs both servers under the same load and prints what came out.</summary>
internal static class Comparison
{
    private const string Address = "127.0.0.1";
    private const int WarmUpSeconds = 1;

    public static void Run(BenchOptions options)
    {
        using PinnedProcess gimlet = PinnedProcess.StartRole(options.ServerCore, "--role-serve", Address);
        string endPoint = gimlet.ReadLine();
        using PinnedProcess? coturn = Turnserver.TryStart(
            options.ServerCore, Address, out int coturnPort, "--allow-loopback-peers", "--relay-ip", Address);
        var ours = new List<Measurement>();
        var theirs = new List<Measurement>();
        double allocated = double.MaxValue;
        for (int round = 0; round < options.Rounds; round++)
        {
            _ = Take(options, gimlet, "--role-relay", endPoint, WarmUpSeconds);
            long before = Ask(gimlet, "").Allocated;
            Measurement ofRound = Take(options, gimlet, "--role-relay", endPoint, options.Seconds);
            ours.Add(ofRound);

            // The two registrations and the question itself are in it: under a tenth of a byte per datagram.
            allocated = Math.Min(allocated, (Ask(gimlet, "").Allocated - before) / (double)ofRound.Count);
            if (coturn is not null)
            {
                string turn = $"{Address}:{coturnPort}";
                _ = Take(options, coturn, "--role-turn", turn, WarmUpSeconds);
                theirs.Add(Take(options, coturn, "--role-turn", turn, options.Seconds));
            }
        }

        Memory? memory = options.Pairs == 0 ? null : MeasurePairs(options);
        Print(options, new CoturnReport("datagram", Measurement.Median(ours), theirs.Count == 0 ? null : Measurement.Median(theirs)), allocated, memory);
    }

    private static Measurement Take(BenchOptions options, PinnedProcess server, string role, string endPoint, int seconds) => Measurement.Take(
        server,
        options.LoadCore,
        role,
        endPoint,
        seconds.ToString(CultureInfo.InvariantCulture),
        options.Batch.ToString(CultureInfo.InvariantCulture),
        options.Size.ToString(CultureInfo.InvariantCulture));

    // A server of its own: what the load left in pools and heap would hide the pairs.
    private static Memory MeasurePairs(BenchOptions options)
    {
        using PinnedProcess server = PinnedProcess.StartRole(options.ServerCore, "--role-serve", Address);
        string endPoint = server.ReadLine();
        void Meet(int pairs, Action? registered, Action? met)
        {
            using PinnedProcess load = PinnedProcess.StartRole(options.LoadCore, "--role-pairs", endPoint, pairs.ToString(CultureInfo.InvariantCulture));
            Expect(load, "registered");
            registered?.Invoke();
            load.Input.WriteLine();
            Expect(load, "met");
            met?.Invoke();
            load.Input.WriteLine();
        }

        // What a process pays once is paid by some pairs that are not counted.
        Meet(50, null, null);
        (long _, long heap, long working) before = Ask(server, "live");
        (long _, long heap, long working) registered = default;
        (long _, long heap, long working) met = default;
        Meet(options.Pairs, () => registered = Ask(server, "live"), () => met = Ask(server, "live"));
        return new Memory(
            (registered.heap - before.heap) / (double)options.Pairs,
            (met.heap - registered.heap) / (double)options.Pairs,
            (met.working - before.working) / (double)options.Pairs);
    }

    private static void Expect(PinnedProcess load, string word)
    {
        if (load.ReadLine() != word)
        {
            throw new InvalidOperationException("The load generator failed.");
        }
    }

    private static (long Allocated, long Heap, long Working) Ask(PinnedProcess server, string question)
    {
        server.Input.WriteLine(question);
        string[] parts = server.ReadLine().Split(' ');
        return (long.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture), long.Parse(parts[2], CultureInfo.InvariantCulture));
    }

    private static void Print(BenchOptions options, CoturnReport report, double allocated, Memory? memory)
    {
        if (options.Json)
        {
            report.PrintJson(
            [
                new("gimlet_allocated_bytes_per_datagram", Math.Round(allocated, 3)),
                new("pair_heap_bytes_registered", memory is null ? null : Math.Round(memory.Registered)),
                new("pair_heap_bytes_relay", memory is null ? null : Math.Round(memory.Relay)),
                new("pair_working_set_bytes", memory is null ? null : Math.Round(memory.WorkingSet)),
            ]);
            return;
        }

        Console.WriteLine(
            $"Relayed datagrams of {options.Size} bytes, {options.Batch} in a frame, {options.Seconds} s, median of {options.Rounds} rounds, server on core {options.ServerCore}, load on core {options.LoadCore}");
        report.Print($"{allocated:F2} bytes allocated per datagram");
        if (memory is not null)
        {
            Console.WriteLine(
                $"{options.Pairs} idle pairs: {memory.WorkingSet / 1024:F1} KiB of memory each, of which heap {memory.Registered / 1024:F1} KiB for two registered nodes and {memory.Relay / 1024:F2} KiB for having relayed");
        }
    }

    /// <summary>Bytes per pair.</summary>
    private sealed record Memory(double Registered, double Relay, double WorkingSet);
}
