using System.Globalization;
using System.Text.Json;

namespace Gimlet.Bench.Stun;

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
        int gimletPort = int.Parse(gimlet.Output.ReadLine()!, CultureInfo.InvariantCulture);
        using PinnedProcess? coturn = Coturn.TryStart(options.ServerCore, Address, out int coturnPort);
        if (coturn is not null)
        {
            Coturn.WaitUntilItAnswers(Address, coturnPort);
        }

        var ours = new List<Measurement>();
        var theirs = new List<Measurement>();
        double allocated = double.MaxValue;
        for (int round = 0; round < options.Rounds; round++)
        {
            _ = Measurement.Take(options, Address, gimletPort, gimlet, WarmUpSeconds);

            // Asking allocates a little itself (text, console): asked twice in a row, the difference is its price.
            long price = -Ask(gimlet).Bytes;
            (long Bytes, long Answers) before = Ask(gimlet);
            price += before.Bytes;
            ours.Add(Measurement.Take(options, Address, gimletPort, gimlet, options.Seconds));
            (long Bytes, long Answers) after = Ask(gimlet);
            allocated = Math.Min(allocated, Math.Max(0, after.Bytes - before.Bytes - price) / (double)(after.Answers - before.Answers));
            if (coturn is not null)
            {
                _ = Measurement.Take(options, Address, coturnPort, coturn, WarmUpSeconds);
                theirs.Add(Measurement.Take(options, Address, coturnPort, coturn, options.Seconds));
            }
        }

        Report(options, Measurement.Median(ours), theirs.Count == 0 ? null : Measurement.Median(theirs), allocated);
        return 0;
    }

    private static (long Bytes, long Answers) Ask(PinnedProcess server)
    {
        server.Input.WriteLine();
        string[] parts = server.Output.ReadLine()!.Split(' ');
        return (long.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    private static void Report(BenchOptions options, Measurement ours, Measurement? theirs, double allocated)
    {
        if (options.Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, double?>(StringComparer.Ordinal)
            {
                ["gimlet_answers_per_second"] = Math.Round(ours.PerSecond),
                ["gimlet_processor_us_per_answer"] = Math.Round(ours.MicrosecondsPerAnswer, 3),
                ["gimlet_core_busy"] = Math.Round(ours.Busy, 3),
                ["gimlet_allocated_bytes_per_request"] = Math.Round(allocated, 4),
                ["gimlet_lost"] = ours.Lost,
                ["coturn_answers_per_second"] = theirs is null ? null : Math.Round(theirs.PerSecond),
                ["coturn_processor_us_per_answer"] = theirs is null ? null : Math.Round(theirs.MicrosecondsPerAnswer, 3),
                ["coturn_core_busy"] = theirs is null ? null : Math.Round(theirs.Busy, 3),
                ["coturn_lost"] = theirs?.Lost,
                ["ratio_per_second"] = theirs is null ? null : Math.Round(ours.PerSecond / theirs.PerSecond, 3),
                ["ratio_per_processor_second"] = theirs is null ? null : Math.Round(ours.PerProcessorSecond / theirs.PerProcessorSecond, 3),
            }));
            return;
        }

        Console.WriteLine($"STUN Binding answers, {options.Seconds} s, median of {options.Rounds} rounds, server on core {options.ServerCore}, load on core {options.LoadCore}");
        Print("gimlet", ours);
        Console.WriteLine($"          {allocated:F4} bytes allocated per request");
        if (theirs is null)
        {
            Console.WriteLine("coturn    not run: turnserver or taskset is not installed (Debian's packages coturn, util-linux)");
            return;
        }

        Print("coturn", theirs);
        Console.WriteLine($"ratio     {ours.PerSecond / theirs.PerSecond:F2} in answers per second, {ours.PerProcessorSecond / theirs.PerProcessorSecond:F2} per second of processor time");
    }

    private static void Print(string name, Measurement measurement) => Console.WriteLine(
        $"{name,-9} {measurement.PerSecond,9:N0} answers/s   {measurement.MicrosecondsPerAnswer:F2} us of processor per answer   core {measurement.Busy:P0} busy   {measurement.Lost} lost");
}
