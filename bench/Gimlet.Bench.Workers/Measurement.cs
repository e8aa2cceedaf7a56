using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Gimlet.Bench.Workers;

/// <summary>Registers, idles, kills, counts.</summary>
internal static class Measurement
{
    /// <summary>Workers that come and go first, so that code is compiled and pools are filled before anything is measured.</summary>
    private const int WarmUp = 500;

    /// <summary>Descriptors beside those of the workers.</summary>
    private const int SpareDescriptors = 300;

    /// <summary>After this long something is wrong; the bench ends instead of waiting for ever.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    public static async Task<int> RunAsync(string[] args)
    {
        if (args is ["--help"])
        {
            Console.WriteLine(BenchOptions.Usage);
            return 0;
        }

        BenchOptions options;
        try
        {
            options = BenchOptions.Parse(args);
        }
        catch (FormatException e)
        {
            await Console.Error.WriteLineAsync($"{e.Message}\n\n{BenchOptions.Usage}").ConfigureAwait(false);
            return 2;
        }

        if (Descriptors() is { } most && most < options.Workers + SpareDescriptors)
        {
            await Console.Error.WriteLineAsync(
                $"{options.Workers} workers need {options.Workers + SpareDescriptors} file descriptors in each process, and the limit is {most}: raise it (ulimit -Hn), or take fewer workers.").ConfigureAwait(false);
            return 2;
        }

        Figures figures = await MeasureAsync(options).ConfigureAwait(false);
        Report(options, figures);
        return 0;
    }

    private static async Task<Figures> MeasureAsync(BenchOptions options)
    {
        var server = ServerProcess.Start(0);
        try
        {
            int port = server.Port;
            await WarmUpAsync(options.AtOnce, Math.Min(WarmUp, options.Workers), port).ConfigureAwait(false);
            (long heapBefore, long workingBefore) = server.Memory();

            using var stop = new CancellationTokenSource();
            using var fleet = new Fleet(options.AtOnce);
            TimeSpan processor = server.ProcessorTime;
            long begun = Stopwatch.GetTimestamp();
            Task all = StartAll(fleet, options.Workers, port, stop.Token);
            TimeSpan registering = Stopwatch.GetElapsedTime(begun, await fleet.WhenAsync(options.Workers).WaitAsync(Deadline).ConfigureAwait(false));
            TimeSpan registeringProcessor = server.ProcessorTime - processor;
            (long heap, long working) = server.Memory();

            processor = server.ProcessorTime;
            await Task.Delay(TimeSpan.FromSeconds(options.IdleSeconds)).ConfigureAwait(false);
            double idle = options.IdleSeconds == 0 ? 0 : (server.ProcessorTime - processor).TotalSeconds / options.IdleSeconds;
            if (fleet.Registered != options.Workers)
            {
                throw new InvalidOperationException($"Only {fleet.Registered} of {options.Workers} idle workers are left.");
            }

            fleet.OpenDoor();
            long killed = Stopwatch.GetTimestamp();
            server.Dispose();
            server = ServerProcess.Start(port);
            long ready = Stopwatch.GetTimestamp();
            long most = await fleet.WhenAsync(options.Workers * 99 / 100).WaitAsync(Deadline).ConfigureAwait(false);
            long back = await fleet.WhenAsync(options.Workers).WaitAsync(Deadline).ConfigureAwait(false);
            var figures = new Figures(
                options.Workers / registering.TotalSeconds,
                registeringProcessor.TotalMicroseconds / options.Workers,
                (working - workingBefore) / (double)options.Workers,
                (heap - heapBefore) / (double)options.Workers,
                idle,
                Stopwatch.GetElapsedTime(killed, ready).TotalSeconds,
                Stopwatch.GetElapsedTime(ready, most).TotalSeconds,
                Stopwatch.GetElapsedTime(ready, back).TotalSeconds);
            await stop.CancelAsync().ConfigureAwait(false);
            await all.WaitAsync(Deadline).ConfigureAwait(false);
            return figures;
        }
        finally
        {
            server.Dispose();
        }
    }

    private static async Task WarmUpAsync(int atOnce, int count, int port)
    {
        using var fleet = new Fleet(atOnce);
        using var stop = new CancellationTokenSource();
        Task all = StartAll(fleet, count, port, stop.Token);
        _ = await fleet.WhenAsync(count).WaitAsync(Deadline).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        await all.WaitAsync(Deadline).ConfigureAwait(false);
    }

    private static Task StartAll(Fleet fleet, int count, int port, CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => new BenchWorker(i, port, fleet).RunAsync(cancellationToken), CancellationToken.None)).ToArray());

    // The hard limit, to which the runtime raises the soft one; null where there is none.
    private static long? Descriptors()
    {
        foreach (string line in File.ReadLines("/proc/self/limits"))
        {
            string[] parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts is ["Max", "open", "files", _, var hard, ..])
            {
                return long.TryParse(hard, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : null;
            }
        }

        return null;
    }

    private static void Report(BenchOptions options, Figures figures)
    {
        if (options.Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, double>(StringComparer.Ordinal)
            {
                ["workers"] = options.Workers,
                ["registrations_per_second"] = Math.Round(figures.RegistrationsPerSecond),
                ["server_processor_us_per_registration"] = Math.Round(figures.ProcessorEach, 1),
                ["working_set_bytes_per_worker"] = Math.Round(figures.Working),
                ["heap_bytes_per_worker"] = Math.Round(figures.Heap),
                ["idle_server_cores"] = Math.Round(figures.IdleCores, 4),
                ["restart_down_seconds"] = Math.Round(figures.Down, 2),
                ["restart_99_percent_back_seconds"] = Math.Round(figures.MostBack, 2),
                ["restart_all_back_seconds"] = Math.Round(figures.AllBack, 2),
            }));
            return;
        }

        Console.WriteLine($"{options.Workers} workers, {options.AtOnce} registering at once");
        Console.WriteLine($"registrations  {figures.RegistrationsPerSecond,8:N0} per second   {figures.ProcessorEach:F0} us of the server's processor each");
        Console.WriteLine($"memory         {figures.Working / 1024,8:F1} KiB per idle worker, of which heap {figures.Heap / 1024:F1} KiB");
        Console.WriteLine($"idle           {figures.IdleCores,8:P2} of a core, pings and all, over {options.IdleSeconds} s");
        Console.WriteLine(
            $"restart        {figures.AllBack,8:F1} s from the new server's first moment until all are back, 99 % after {figures.MostBack:F1} s; it was down for {figures.Down:F1} s; workers wait 1 s to 10 s (1 s, and a random part of 1, 3, 7, 9 s)");
    }

    private sealed record Figures(
        double RegistrationsPerSecond, double ProcessorEach, double Working, double Heap, double IdleCores, double Down, double MostBack, double AllBack);
}
