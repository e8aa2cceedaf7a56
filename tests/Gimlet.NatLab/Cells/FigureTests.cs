using System.Globalization;
using System.Text;
using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Xunit;

namespace Gimlet.NatLab.Cells;

/// <summary>
/// The figures that are compared with other libraries': run by name, on a machine with nothing else to do, with a published build
/// (<c>GIMLET_LAB_CLI=.../gimlet GIMLET_LAB_RUNS=20 dotnet run --project tests/Gimlet.NatLab -- -explicit only -class "*FigureTests"</c>).
/// </summary>
[Collection(nameof(CellLab))]
public sealed class FigureTests(CellLab lab, ITestOutputHelper output)
{
    // Issue 4, "Done when": a fresh process each time.
    private static readonly Budget Punched = new(RoundTrips: 2.5, Milliseconds: 15);
    private static readonly Budget Relayed = new(RoundTrips: 3, Milliseconds: 12);
    private static readonly Budget RelayedWarm = new(RoundTrips: 3, Milliseconds: 5);
    private const double DirectWithinMs = 160;

    // The runtime compiles again what is called thirty times: until then a process is not warm.
    private const int ColdDials = 30;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Explicit = true)]
    public async Task Dials_at_40_ms()
    {
        var rows = new List<Row>();
        foreach (var caller in StandardLab.MatrixKinds)
        {
            rows.Add(await MeasureAsync(caller, NatKind.None, Punched));
        }

        rows.Add(await MeasureAsync(NatKind.PortRestricted, NatKind.PortRestricted, Punched));
        rows.Add(await MeasureAsync(NatKind.RestrictedCone, NatKind.Symmetric, Punched));
        foreach (var (caller, callee) in new[] { (NatKind.Symmetric, NatKind.Symmetric), (NatKind.PortRestricted, NatKind.Symmetric), (NatKind.UdpBlocked, NatKind.None) })
        {
            rows.Add(await MeasureAsync(caller, callee, Relayed));
        }

        rows.Add(await MeasureWarmAsync(NatKind.None, NatKind.None));
        rows.Add(await MeasureWarmAsync(NatKind.PortRestricted, NatKind.PortRestricted));

        var table = new StringBuilder();
        table.AppendLine(CultureInfo.InvariantCulture, $"{"caller > callee",-36}{"RTT",7}{"first byte",12}{"budget",9}{"direct",9}   medians of {CellLab.Runs} in ms");
        foreach (var row in rows)
        {
            table.AppendLine(CultureInfo.InvariantCulture, $"{row.Pair,-36}{row.RoundTrip,7:0.0}{row.FirstByte,12:0.0}{row.Budget,9:0.0}{row.Direct,9:0.0}");
        }

        await Console.Out.WriteLineAsync(table.ToString());
        output.WriteLine(table.ToString());
        Assert.All(rows, row => Assert.True(row.FirstByte <= row.Budget && row.Direct is null or <= DirectWithinMs, $"{row.Pair}\n{table}"));
    }

    private async Task<Row> MeasureAsync(NatKind caller, NatKind callee, Budget budget)
    {
        var (a, b) = (await lab.SiteAsync(StandardLab.Left(caller)), await lab.SiteAsync(StandardLab.Right(callee)));
        var (cell, server) = ($"{caller} > {callee}", await lab.ServerAsync());
        var network = await lab.NetworkRoundTripAsync(a, a.Host, b, b.Host, Cancellation);
        var runs = new List<CellRun>();
        await lab.RepeatAsync(cell, output, async run =>
        {
            var result = PairRules.CanMeet(caller, callee)
                ? await Dial.ExpectDirectAsync(cell, run, server, a.Host, b.Host, network)
                : await Dial.ExpectRelayAsync(cell, run, server, a.Host, b.Host, network);
            runs.Add(result);
            return result;
        });
        return new Row(cell, network!.Value, Median(runs.Select(run => run.FirstByteMs))!.Value, budget.At(network.Value), Median(runs.Select(run => run.DirectMs)));
    }

    // One process on each side, over the relay: the first byte of one connection after the other.
    private async Task<Row> MeasureWarmAsync(NatKind caller, NatKind callee)
    {
        var (a, b) = (await lab.SiteAsync(StandardLab.Left(caller)), await lab.SiteAsync(StandardLab.Right(callee)));
        var server = await lab.ServerAsync();
        var network = await lab.NetworkRoundTripAsync(a, a.Host, b, b.Host, Cancellation);
        await using var listening = GimletProcess.Start(b.Host, "listen", "--server", server, "--ephemeral");
        var peer = (await listening.WaitForAsync("listening")).Text("peer")!;
        var dials = CellLab.Runs + ColdDials;
        await using var dialling = GimletProcess.Start(
            a.Host, "connect", peer, "--server", server, "--ephemeral", "--path", "relay-only", "--once", "--dials", dials.ToString(CultureInfo.InvariantCulture));
        var firstBytes = new List<double?>();
        var done = 0L;
        while (firstBytes.Count < dials)
        {
            var dialing = await dialling.WaitForAsync("dialing", news => news.ReadAt > done);
            var ping = await listening.WaitForAsync("ping", news => news.ReadAt > dialing.ReadAt);
            done = ping.ReadAt;
            firstBytes.Add(ping.Number("clock_ms") - dialing.Number("clock_ms"));
        }

        return new Row($"{caller} > {callee}, warm, relay-only", network!.Value, Median(firstBytes.Skip(ColdDials))!.Value, RelayedWarm.At(network.Value), Direct: null);
    }

    private static double? Median(IEnumerable<double?> values)
    {
        var sorted = values.OfType<double>().Order().ToList();
        return sorted.Count == 0 ? null : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    private readonly record struct Budget(double RoundTrips, double Milliseconds)
    {
        internal double At(double roundTrip) => (RoundTrips * roundTrip) + Milliseconds;
    }

    private sealed record Row(string Pair, double RoundTrip, double FirstByte, double Budget, double? Direct);
}
