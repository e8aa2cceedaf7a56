using System.Globalization;

namespace Gimlet.Bench.Stun;

/// <summary>One round against one server.</summary>
/// <param name="Answers">Answers that the load generator got.</param>
/// <param name="Lost">Requests that were written off.</param>
/// <param name="Elapsed">The length of the round.</param>
/// <param name="Processor">Processor time of the server during the round.</param>
internal sealed record Measurement(long Answers, long Lost, TimeSpan Elapsed, TimeSpan Processor)
{
    public double PerSecond => Answers / Elapsed.TotalSeconds;

    /// <summary>What one core would answer if it did nothing else; equal to <see cref="PerSecond"/> when the core was full.</summary>
    public double PerProcessorSecond => Answers / Processor.TotalSeconds;

    public double MicrosecondsPerAnswer => Processor.TotalMicroseconds / Answers;

    public double Busy => Processor / Elapsed;

    public static Measurement Take(BenchOptions options, string address, int port, PinnedProcess server, int seconds)
    {
        TimeSpan before = server.ProcessorTime;
        using PinnedProcess load = PinnedProcess.StartRole(
            options.LoadCore,
            "--role-load",
            address,
            port.ToString(CultureInfo.InvariantCulture),
            seconds.ToString(CultureInfo.InvariantCulture));
        string line = load.Output.ReadLine() ?? throw new InvalidOperationException("The load generator ended without a result.");
        TimeSpan processor = server.ProcessorTime - before;
        string[] parts = line.Split(' ');
        var result = new Measurement(
            long.Parse(parts[0], CultureInfo.InvariantCulture),
            long.Parse(parts[1], CultureInfo.InvariantCulture),
            TimeSpan.FromSeconds(double.Parse(parts[2], CultureInfo.InvariantCulture)),
            processor);
        return result.Answers > 0 && !server.HasExited
            ? result
            : throw new InvalidOperationException("The server did not answer.");
    }

    public static Measurement Median(List<Measurement> rounds) => rounds.OrderBy(r => r.PerSecond).ElementAt(rounds.Count / 2);
}
