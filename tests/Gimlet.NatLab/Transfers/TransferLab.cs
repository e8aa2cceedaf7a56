using System.Globalization;
using System.Reflection;
using System.Text;
using Gimlet.NatLab.Cells;
using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Xunit;

namespace Gimlet.NatLab.Transfers;

/// <summary>Marks the classes that share the report of transfers.</summary>
[CollectionDefinition(nameof(TransferLab))]
public sealed class TransferCollection : ICollectionFixture<TransferLab>;

/// <summary>What the moving transfers share: two homes 40 ms apart, a third network, and the report (<c>artifacts/natlab/transfers.txt</c>).</summary>
public sealed class TransferLab(StandardLab lab) : IAsyncDisposable
{
    private readonly StringBuilder _report = new();

    internal static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    internal Task<LabSite> SenderAsync() => lab.SiteAsync(StandardLab.Left(NatKind.PortRestricted));

    internal Task<LabSite> ReceiverAsync() => lab.SiteAsync(StandardLab.Right(NatKind.PortRestricted));

    internal Task<LabSite> SiteAsync(string name) => lab.SiteAsync(name);

    internal async Task<OwnServer> ServeAsync() => await OwnServer.StartAsync((await lab.SiteAsync(StandardLab.Server)).Host);

    /// <summary>Runs a story as often as cells are run; the median of its longest pauses must not exceed <paramref name="pauseLimit"/>.</summary>
    internal async Task RepeatAsync(string story, ITestOutputHelper output, TimeSpan pauseLimit, Func<Task<TransferRun>> run)
    {
        var pauses = new List<TimeSpan>();
        for (var number = 1; number <= CellLab.Runs; number++)
        {
            var result = await run();
            pauses.Add(result.PauseAfter);
            output.WriteLine($"{story}: {result}");
            foreach (var path in result.Paths)
            {
                output.WriteLine($"  {path}");
            }

            _report.AppendLine(CultureInfo.InvariantCulture, $"{story,-60} {result}");
        }

        pauses.Sort();
        Assert.True(
            pauses[pauses.Count / 2] <= pauseLimit,
            $"{story}: nothing came for {pauses[pauses.Count / 2].TotalMilliseconds:0} ms (median of {pauses.Count}), at most {pauseLimit.TotalMilliseconds} ms are right");
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_report.Length > 0)
        {
            var folder = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "Artifacts").Value!;
            Directory.CreateDirectory(folder);
            await File.WriteAllTextAsync(Path.Combine(folder, "transfers.txt"), _report.ToString(), CancellationToken.None);
            await Console.Out.WriteLineAsync(_report.ToString());
        }
    }
}
