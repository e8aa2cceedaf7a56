using System.Globalization;
using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Probes;
using Xunit;

namespace Gimlet.NatLab.Cells;

/// <summary>Marks the classes that share the gimlet server and the report.</summary>
[CollectionDefinition(nameof(CellLab))]
public sealed class CellCollection : ICollectionFixture<CellLab>;

/// <summary>What all cells share: the standard lab, one <c>gimlet serve</c> per address family on its own public host, and the report.</summary>
public sealed class CellLab(StandardLab lab) : IAsyncDisposable
{
    private const int HttpPort = 8080;
    private const int StunPort = 3478;

    private readonly Dictionary<string, GimletProcess> _servers = new(StringComparer.Ordinal);
    private readonly CellReport _report = new();

    /// <summary>How often each cell runs, with fresh processes each time (<c>GIMLET_LAB_RUNS</c>, default 1).</summary>
    internal static int Runs { get; } = int.Parse(Environment.GetEnvironmentVariable("GIMLET_LAB_RUNS") is { Length: > 0 } text ? text : "1", CultureInfo.InvariantCulture);

    internal Task<LabSite> SiteAsync(string name) => lab.SiteAsync(name);

    /// <summary>The URL of the server that answers on IPv4.</summary>
    internal async Task<string> ServerAsync()
        => await ServeAsync((await lab.SiteAsync(StandardLab.Server)).Host.Address!.ToString());

    /// <summary>The URL of the server that answers on IPv6.</summary>
    internal async Task<string> Server6Async()
        => await ServeAsync($"[{(await lab.SiteAsync(StandardLab.Server)).Host.Address6}]");

    /// <summary>The STUN address of the server on IPv4.</summary>
    internal async Task<string> StunAsync()
    {
        _ = await ServerAsync();
        return $"{(await lab.SiteAsync(StandardLab.Server)).Host.Address}:{StunPort}";
    }

    /// <summary>
    /// Runs <paramref name="run"/> as often as asked for, records each run, and fails if one of them failed: with all the failures, not the first.
    /// </summary>
    /// <param name="cell">The name in the report.</param>
    /// <param name="output">The test's own output gets the figures, too.</param>
    /// <param name="run">One run, by its number from 1.</param>
    /// <param name="runs">How often; as <see cref="Runs"/> says by default.</param>
    internal async Task RepeatAsync(string cell, ITestOutputHelper output, Func<int, Task<CellRun>> run, int? runs = null)
    {
        var wanted = runs ?? Runs;
        var failures = new List<string>();
        for (var number = 1; number <= wanted; number++)
        {
            CellRun result;
            try
            {
                result = await run(number);
            }
            catch (Exception exception) when (exception is GimletProcessException or KeyNotFoundException or Xunit.Sdk.XunitException)
            {
                // The other runs still count: what matters in the end is how many of them fail, and whether for the same reason.
                result = new CellRun(cell, number, "failed") { Failure = exception.Message };
                failures.Add($"run {number}: {exception.Message}");
            }

            _report.Add(result);
            output.WriteLine($"{cell} run {number}: {result.Outcome}, connected {result.ConnectedMs} ms, first byte {result.FirstByteMs} ms, "
                + $"first round trip {result.RoundTripMs} ms, direct {result.DirectMs} ms, network {result.NetworkMs} ms");
        }

        Assert.True(failures.Count == 0, $"{cell}: {wanted - failures.Count} of {wanted} runs are good\n{string.Join('\n', failures)}");
    }

    /// <summary>A round trip between two hosts, in milliseconds: through the middle of the internet for two sites, or null where no plain packet passes.</summary>
    internal async Task<double?> NetworkRoundTripAsync(LabSite a, LabHost caller, LabSite b, LabHost callee, CancellationToken cancellation)
    {
        const int Pings = 9;
        if (callee.Address6 is { } address6)
        {
            return await RoundTrip.MedianAsync(caller, address6, Pings, cancellation);
        }

        if (a == b)
        {
            return a.Plan.IsolateHosts || a.Plan.HomeNat is not null ? null : await RoundTrip.MedianAsync(caller, callee.Address!, Pings, cancellation);
        }

        // A NAT lets no ping in, but it lets pings out: half the way there and half the way back, from both sides, to a host in public.
        var inPublic = (await lab.ProbeAsync()).Endpoints[0].Address;
        var fromA = await RoundTrip.MedianAsync(caller, inPublic, Pings, cancellation);
        return Math.Round((fromA + await RoundTrip.MedianAsync(callee, inPublic, Pings, cancellation)) / 2, 2);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        var failures = new List<Exception>();
        foreach (var server in _servers.Values)
        {
            try
            {
                await server.EndAsync();
            }
            catch (GimletProcessException exception)
            {
                failures.Add(exception);
            }

            await server.DisposeAsync();
        }

        if (await _report.WriteAsync() is { } table)
        {
            await Console.Out.WriteLineAsync(table);
        }

        if (failures.Count > 0)
        {
            throw new AggregateException(failures);
        }
    }

    private async Task<string> ServeAsync(string address)
    {
        if (!_servers.TryGetValue(address, out var server))
        {
            var host = (await lab.SiteAsync(StandardLab.Server)).Host;
            server = GimletProcess.Start(host, "serve", "--http", $"{address}:{HttpPort}", "--stun", $"{address}:{StunPort}");
            _servers.Add(address, server);
        }

        _ = await server.WaitForAsync("ready");
        return $"http://{address}:{HttpPort}";
    }
}
