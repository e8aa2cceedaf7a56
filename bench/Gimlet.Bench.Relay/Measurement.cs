using System.Globalization;

namespace Gimlet.Bench.Relay;

/// <summary>One round against one server.</summary>
/// <param name="Datagrams">Datagrams that came out on the other side.</param>
/// <param name="Lost">Datagrams that were written off.</param>
/// <param name="Elapsed">The length of the round.</param>
/// <param name="Processor">Processor time of the server during the round.</param>
internal sealed record Measurement(long Datagrams, long Lost, TimeSpan Elapsed, TimeSpan Processor)
{
    public double PerSecond => Datagrams / Elapsed.TotalSeconds;

    /// <summary>What one core would relay if it did nothing else; equal to <see cref="PerSecond"/> when the core was full.</summary>
    public double PerProcessorSecond => Datagrams / Processor.TotalSeconds;

    public double MicrosecondsEach => Processor.TotalMicroseconds / Datagrams;

    public double Busy => Processor / Elapsed;

    public static Measurement Take(BenchOptions options, string role, string endPoint, PinnedProcess server, int seconds)
    {
        TimeSpan before = server.ProcessorTime;
        using PinnedProcess load = PinnedProcess.StartRole(
            options.LoadCore,
            role,
            endPoint,
            seconds.ToString(CultureInfo.InvariantCulture),
            options.Batch.ToString(CultureInfo.InvariantCulture),
            options.Size.ToString(CultureInfo.InvariantCulture));
        string line = load.Output.ReadLine() ?? throw new InvalidOperationException("The load generator ended without a result.");
        TimeSpan processor = server.ProcessorTime - before;
        string[] parts = line.Split(' ');
        var result = new Measurement(
            long.Parse(parts[0], CultureInfo.InvariantCulture),
            long.Parse(parts[1], CultureInfo.InvariantCulture),
            TimeSpan.FromSeconds(double.Parse(parts[2], CultureInfo.InvariantCulture)),
            processor);
        return result.Datagrams > 0 && !server.HasExited
            ? result
            : throw new InvalidOperationException("The server relayed nothing.");
    }

    public static Measurement Median(List<Measurement> rounds) => rounds.OrderBy(r => r.PerSecond).ElementAt(rounds.Count / 2);
}
