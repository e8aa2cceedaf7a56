using System.Globalization;
using System.Text.Json;

namespace Gimlet.Bench.Relay;

/// <summary>Runs both servers under the same load and prints what came out.</summary>
internal static class Comparison
{
    private const string Address = "127.0.0.1";
    private const int WarmUpSeconds = 1;

    public static int Run(string[] args)
    {
        BenchOptions options;
        try
        {
            options = BenchOptions.Parse(args);
        }
        catch (FormatException e)
        {
            Console.Error.WriteLine($"{e.Message}\n\n{BenchOptions.Usage}");
            return 2;
        }

        if (!OperatingSystem.IsLinux() || Environment.ProcessorCount < 2)
        {
            Console.Error.WriteLine("This comparison needs Linux and two cores: one for the server, one for the load.");
            return 1;
        }

        using PinnedProcess gimlet = PinnedProcess.StartRole(options.ServerCore, "--role-serve", Address);
        string endPoint = gimlet.Output.ReadLine()!;
        using PinnedProcess? coturn = Coturn.TryStart(options.ServerCore, Address, out int coturnPort);
        var ours = new List<Measurement>();
        var theirs = new List<Measurement>();
        double allocated = double.MaxValue;
        for (int round = 0; round < options.Rounds; round++)
        {
            _ = Measurement.Take(options, "--role-relay", endPoint, gimlet, WarmUpSeconds);
            long before = Ask(gimlet, "").Allocated;
            Measurement ofRound = Measurement.Take(options, "--role-relay", endPoint, gimlet, options.Seconds);
            ours.Add(ofRound);

            // The two registrations and the question itself are in it: under a tenth of a byte per datagram.
            allocated = Math.Min(allocated, (Ask(gimlet, "").Allocated - before) / (double)ofRound.Datagrams);
            if (coturn is not null)
            {
                string turn = $"{Address}:{coturnPort}";
                _ = Measurement.Take(options, "--role-turn", turn, coturn, WarmUpSeconds);
                theirs.Add(Measurement.Take(options, "--role-turn", turn, coturn, options.Seconds));
            }
        }

        Memory? memory = options.Pairs == 0 ? null : MeasurePairs(options);
        Report(options, Measurement.Median(ours), theirs.Count == 0 ? null : Measurement.Median(theirs), allocated, memory);
        return 0;
    }

    // A server of its own: what the load left in pools and heap would hide the pairs.
    private static Memory MeasurePairs(BenchOptions options)
    {
        using PinnedProcess server = PinnedProcess.StartRole(options.ServerCore, "--role-serve", Address);
        string endPoint = server.Output.ReadLine()!;
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
        if (load.Output.ReadLine() != word)
        {
            throw new InvalidOperationException("The load generator failed.");
        }
    }

    private static (long Allocated, long Heap, long Working) Ask(PinnedProcess server, string question)
    {
        server.Input.WriteLine(question);
        string[] parts = server.Output.ReadLine()!.Split(' ');
        return (long.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture), long.Parse(parts[2], CultureInfo.InvariantCulture));
    }

    private static void Report(BenchOptions options, Measurement ours, Measurement? theirs, double allocated, Memory? memory)
    {
        if (options.Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, double?>(StringComparer.Ordinal)
            {
                ["gimlet_datagrams_per_second"] = Math.Round(ours.PerSecond),
                ["gimlet_processor_us_per_datagram"] = Math.Round(ours.MicrosecondsEach, 3),
                ["gimlet_core_busy"] = Math.Round(ours.Busy, 3),
                ["gimlet_allocated_bytes_per_datagram"] = Math.Round(allocated, 3),
                ["gimlet_lost"] = ours.Lost,
                ["coturn_datagrams_per_second"] = theirs is null ? null : Math.Round(theirs.PerSecond),
                ["coturn_processor_us_per_datagram"] = theirs is null ? null : Math.Round(theirs.MicrosecondsEach, 3),
                ["coturn_core_busy"] = theirs is null ? null : Math.Round(theirs.Busy, 3),
                ["coturn_lost"] = theirs?.Lost,
                ["ratio_per_second"] = theirs is null ? null : Math.Round(ours.PerSecond / theirs.PerSecond, 3),
                ["ratio_per_processor_second"] = theirs is null ? null : Math.Round(ours.PerProcessorSecond / theirs.PerProcessorSecond, 3),
                ["pair_heap_bytes_registered"] = memory is null ? null : Math.Round(memory.Registered),
                ["pair_heap_bytes_relay"] = memory is null ? null : Math.Round(memory.Relay),
                ["pair_working_set_bytes"] = memory is null ? null : Math.Round(memory.WorkingSet),
            }));
            return;
        }

        Console.WriteLine(
            $"Relayed datagrams of {options.Size} bytes, {options.Batch} in a frame, {options.Seconds} s, median of {options.Rounds} rounds, server on core {options.ServerCore}, load on core {options.LoadCore}");
        Print("gimlet", ours);
        Console.WriteLine($"          {allocated:F2} bytes allocated per datagram");
        if (theirs is null)
        {
            Console.WriteLine("coturn    not run: turnserver or taskset is not installed (Debian's packages coturn, util-linux)");
        }
        else
        {
            Print("coturn", theirs);
            Console.WriteLine($"ratio     {ours.PerSecond / theirs.PerSecond:F2} in datagrams per second, {ours.PerProcessorSecond / theirs.PerProcessorSecond:F2} per second of processor time");
        }

        if (memory is not null)
        {
            Console.WriteLine(
                $"{options.Pairs} idle pairs: {memory.WorkingSet / 1024:F1} KiB of memory each, of which heap {memory.Registered / 1024:F1} KiB for two registered nodes and {memory.Relay / 1024:F2} KiB for having relayed");
        }
    }

    private static void Print(string name, Measurement measurement) => Console.WriteLine(
        $"{name,-9} {measurement.PerSecond,9:N0} datagrams/s   {measurement.MicrosecondsEach:F2} us of processor per datagram   core {measurement.Busy:P0} busy   {measurement.Lost} lost");

    /// <summary>Bytes per pair.</summary>
    private sealed record Memory(double Registered, double Relay, double WorkingSet);
}
