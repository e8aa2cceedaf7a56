using System.Text.Json;

namespace Gimlet.Bench.Quic.Comparing;

/// <summary>Collects the rounds and prints medians: a table for people, one JSON object for programs.</summary>
internal sealed class Results(BenchOptions options, IReadOnlyList<string> missing)
{
    private static readonly string[] References = ["quinn", "quic-go"];

    private readonly Dictionary<Workload, Dictionary<string, List<Round>>> _rounds = [];

    public void Add(Workload workload, string contestant, Round round)
    {
        if (!_rounds.TryGetValue(workload, out Dictionary<string, List<Round>>? contestants))
        {
            _rounds.Add(workload, contestants = []);
        }

        if (!contestants.TryGetValue(contestant, out List<Round>? rounds))
        {
            contestants.Add(contestant, rounds = []);
        }

        rounds.Add(round);
    }

    /// <summary>The table of one workload.</summary>
    public void Print(Workload workload)
    {
        if (options.Json || !_rounds.TryGetValue(workload, out Dictionary<string, List<Round>>? contestants))
        {
            return;
        }

        Console.WriteLine($"{workload}, {options.Seconds} s, median of {options.Rounds} rounds");
        foreach ((string name, List<Round> rounds) in contestants)
        {
            string ratios = string.Join("   ", References.Where(r => r != name && contestants.ContainsKey(r))
                .Select(r => $"{Ratio(workload, rounds, contestants[r]):F2} x {r} ({PerProcessorRatio(workload, rounds, contestants[r]):F2} per processor second)"));
            Console.WriteLine(workload == Workload.Handshakes
                ? $"  {name,-17} {Median(rounds, static r => r.CountPerSecond),8:N0} /s   {Median(rounds, static r => r.CountPerServerSecond),8:N0} per second of the server's core (busy {Median(rounds, static r => r.ServerBusy):P0})   {ratios}"
                : $"  {name,-17} {Median(rounds, static r => r.GigabitsPerSecond),7:F3} Gbit/s   {Median(rounds, static r => r.ProcessorPerGibibyte),7:F2} processor s/GiB   {ratios}{Allocated(rounds)}");
        }
    }

    /// <summary>What is said once.</summary>
    public void PrintEnd()
    {
        if (!options.Json)
        {
            foreach (string line in missing)
            {
                Console.WriteLine(line);
            }

            return;
        }

        var figures = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach ((Workload workload, Dictionary<string, List<Round>> contestants) in _rounds)
        {
            foreach ((string name, List<Round> rounds) in contestants)
            {
                string prefix = $"{workload.ToString().ToLowerInvariant()}_{name.Replace('-', '_')}";
                foreach (string reference in References.Where(r => r != name && contestants.ContainsKey(r)))
                {
                    string suffix = $"per_{reference.Replace('-', '_')}";
                    figures.Add($"{prefix}_{suffix}", Math.Round(Ratio(workload, rounds, contestants[reference]), 3));
                    figures.Add(
                        $"{prefix}_per_processor_second_{suffix}", Math.Round(PerProcessorRatio(workload, rounds, contestants[reference]), 3));
                }

                if (workload == Workload.Handshakes)
                {
                    figures.Add($"{prefix}_per_second", Math.Round(Median(rounds, static r => r.CountPerSecond)));
                    figures.Add($"{prefix}_per_server_second", Math.Round(Median(rounds, static r => r.CountPerServerSecond)));
                    continue;
                }

                figures.Add($"{prefix}_gigabits_per_second", Math.Round(Median(rounds, static r => r.GigabitsPerSecond), 3));
                figures.Add($"{prefix}_processor_seconds_per_gibibyte", Math.Round(Median(rounds, static r => r.ProcessorPerGibibyte), 3));
            }
        }

        Console.WriteLine(JsonSerializer.Serialize(new { figures, missing }));
    }

    // Of the same round: what disturbed the machine then disturbed both.
    private static double Ratio(Workload workload, List<Round> rounds, List<Round> references) =>
        Ratio(rounds, references, workload == Workload.Handshakes ? static r => r.CountPerSecond : static r => r.GigabitsPerSecond);

    // On a machine that does other things as well this one is the steadier: it hardly depends on who else wants the cores.
    private static double PerProcessorRatio(Workload workload, List<Round> rounds, List<Round> references) =>
        Ratio(rounds, references, workload == Workload.Handshakes ? static r => r.CountPerServerSecond : static r => 1 / r.ProcessorPerGibibyte);

    private static double Ratio(List<Round> rounds, List<Round> references, Func<Round, double> rate) =>
        Median(rounds.Zip(references, (ours, theirs) => rate(ours) / rate(theirs)));

    private static string Allocated(List<Round> rounds) =>
        rounds[0].Allocated is null ? string.Empty : $"   {Median(rounds, static r => r.Allocated!.Value / (r.Bytes / 1e6)):N0} B allocated per MB";

    private static double Median(List<Round> rounds, Func<Round, double> of) => Median(rounds.Select(of));

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
