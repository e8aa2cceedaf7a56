using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;

namespace Gimlet.NatLab.Cells;

/// <summary>Collects the runs of all cells and writes them down: <c>artifacts/natlab/cells.json</c>, and a table for people.</summary>
internal sealed class CellReport
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly List<CellRun> _runs = [];

    internal void Add(CellRun run)
    {
        lock (_runs)
        {
            _runs.Add(run);
        }
    }

    /// <summary>Writes both files, where there is anything to write.</summary>
    /// <returns>The table; null where no cell ran.</returns>
    internal async Task<string?> WriteAsync()
    {
        if (_runs.Count == 0)
        {
            return null;
        }

        var folder = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "Artifacts").Value!;
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "cells.json"), JsonSerializer.Serialize(new Document(GimletProcess.Program, _runs), Json), CancellationToken.None);
        var table = Table();
        await File.WriteAllTextAsync(Path.Combine(folder, "cells.txt"), table, CancellationToken.None);
        return table;
    }

    private sealed record Document(string Program, IReadOnlyList<CellRun> Runs);

    private string Table()
    {
        var text = new StringBuilder();
        Line("cell (caller > callee)", "good", "outcome", "connected", "first byte", "in round trips", "first pong", "direct", "worst", "network");
        foreach (var cell in _runs.GroupBy(run => run.Cell, StringComparer.Ordinal))
        {
            var network = Median(cell.Select(run => run.NetworkMs));
            var firstByte = Median(cell.Select(run => run.FirstByteMs));
            Line(
                cell.Key,
                $"{cell.Count(run => run.Failure is null)}/{cell.Count()}",
                string.Join(',', cell.Select(run => run.Outcome).Distinct(StringComparer.Ordinal)),
                Show(Median(cell.Select(run => run.ConnectedMs))),
                Show(firstByte),
                // Below a millisecond a ratio to the network says nothing: that is the program's own time.
                network > 1 && firstByte is { } total ? (total / network.Value).ToString("0.00", CultureInfo.InvariantCulture) : "-",
                Show(Median(cell.Select(run => run.RoundTripMs))),
                Show(Median(cell.Select(run => run.DirectMs))),
                Show(cell.Max(run => run.DirectMs)),
                Show(network));
        }

        // Which program: figures of a stand-in must never pass for Gimlet's.
        text.AppendLine(CultureInfo.InvariantCulture, $"driven: {GimletProcess.Program}");
        text.AppendLine("medians in ms, counted from the dial; worst: of direct; network: one round trip between the two hosts, measured by ping");
        return text.ToString();

        void Line(params ReadOnlySpan<string> columns) => text
            .Append(CultureInfo.InvariantCulture, $"{columns[0],-46}{columns[1],7}  {columns[2],-14}{columns[3],10}{columns[4],12}{columns[5],16}")
            .AppendLine(CultureInfo.InvariantCulture, $"{columns[6],12}{columns[7],9}{columns[8],9}{columns[9],9}");
    }

    private static double? Median(IEnumerable<double?> values)
    {
        var sorted = values.OfType<double>().Order().ToList();
        return sorted.Count == 0 ? null : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    private static string Show(double? value) => value?.ToString("0.0", CultureInfo.InvariantCulture) ?? "-";
}
