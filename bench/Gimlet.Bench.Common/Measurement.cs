using System.Globalization;

namespace Gimlet.Bench.Common;

/// <summary>One round against one server.</summary>
/// <param name="Count">What the load generator got back: answers, datagrams.</param>
/// <param name="Lost">What it wrote off.</param>
/// <param name="Elapsed">The length of the round.</param>
/// <param name="Processor">Processor time of the server during the round.</param>
public sealed record Measurement(long Count, long Lost, TimeSpan Elapsed, TimeSpan Processor)
{
    public double PerSecond => Count / Elapsed.TotalSeconds;

    /// <summary>What one core would do if it did nothing else; equal to <see cref="PerSecond"/> when the core was full.</summary>
    public double PerProcessorSecond => Count / Processor.TotalSeconds;

    public double MicrosecondsEach => Processor.TotalMicroseconds / Count;

    public double Busy => Processor / Elapsed;

    /// <summary>Runs a role of this executable as the load on a server. The role ends with a line of <see cref="Print"/>.</summary>
    public static Measurement Take(PinnedProcess server, string loadCore, params IEnumerable<string> role)
    {
        TimeSpan before = server.ProcessorTime;
        using PinnedProcess load = PinnedProcess.StartRole(loadCore, role);
        string[] parts = load.ReadLine().Split(' ');
        TimeSpan processor = server.ProcessorTime - before;
        var result = new Measurement(
            long.Parse(parts[0], CultureInfo.InvariantCulture),
            long.Parse(parts[1], CultureInfo.InvariantCulture),
            TimeSpan.FromSeconds(double.Parse(parts[2], CultureInfo.InvariantCulture)),
            processor);
        return result.Count > 0 && !server.HasExited
            ? result
            : throw new InvalidOperationException("Nothing came back from the server.");
    }

    /// <summary>The result of a load, for <see cref="Take"/> in the process that started it.</summary>
    public static void Print(long count, long lost, TimeSpan elapsed) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} {lost} {elapsed.TotalSeconds:R}"));

    public static Measurement Median(IReadOnlyCollection<Measurement> rounds) =>
        rounds.OrderBy(static r => r.PerSecond).ElementAt(rounds.Count / 2);
}
