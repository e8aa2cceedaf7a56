using System.Text.Json;

namespace Gimlet.Bench.Common;

/// <summary>The median round of Gimlet's server beside coturn's: lines for people, figures for programs.</summary>
/// <param name="Unit">What was counted, in the singular.</param>
/// <param name="Gimlet">The median round of Gimlet's server.</param>
/// <param name="Coturn">The median round of coturn; null where it is not installed.</param>
public sealed record CoturnReport(string Unit, Measurement Gimlet, Measurement? Coturn)
{
    /// <summary>One JSON object: what this knows, then what only this benchmark has.</summary>
    public void PrintJson(IEnumerable<KeyValuePair<string, double?>> own)
    {
        var figures = new Dictionary<string, double?>(StringComparer.Ordinal);
        Add("gimlet", Gimlet);
        Add("coturn", Coturn);
        figures.Add("ratio_per_second", Coturn is null ? null : Math.Round(Gimlet.PerSecond / Coturn.PerSecond, 3));
        figures.Add("ratio_per_processor_second", Coturn is null ? null : Math.Round(Gimlet.PerProcessorSecond / Coturn.PerProcessorSecond, 3));
        foreach ((string name, double? figure) in own)
        {
            figures.Add(name, figure);
        }

        Console.WriteLine(JsonSerializer.Serialize(figures));

        void Add(string name, Measurement? of)
        {
            figures.Add($"{name}_{Unit}s_per_second", of is null ? null : Math.Round(of.PerSecond));
            figures.Add($"{name}_processor_us_per_{Unit}", of is null ? null : Math.Round(of.MicrosecondsEach, 3));
            figures.Add($"{name}_core_busy", of is null ? null : Math.Round(of.Busy, 3));
            figures.Add($"{name}_lost", of?.Lost);
        }
    }

    /// <summary>The lines of both servers and their ratio.</summary>
    /// <param name="allocated">What is said of Gimlet's allocations.</param>
    public void Print(string allocated)
    {
        Print("gimlet", Gimlet);
        Console.WriteLine($"          {allocated}");
        if (Coturn is null)
        {
            Console.WriteLine("coturn    not run: turnserver or taskset is not installed (Debian's packages coturn, util-linux)");
            return;
        }

        Print("coturn", Coturn);
        Console.WriteLine(
            $"ratio     {Gimlet.PerSecond / Coturn.PerSecond:F2} in {Unit}s per second, {Gimlet.PerProcessorSecond / Coturn.PerProcessorSecond:F2} per second of processor time");
    }

    private void Print(string name, Measurement of) => Console.WriteLine(
        $"{name,-9} {of.PerSecond,9:N0} {Unit}s/s   {of.MicrosecondsEach:F2} us of processor per {Unit}   core {of.Busy:P0} busy   {of.Lost} lost");
}
