using System.Diagnostics;
using System.Globalization;

namespace Gimlet.NatLab.Lab;

/// <summary>How many packets one direction of a wire let through and lost since the lab began.</summary>
internal readonly record struct WireCount(long Passed, long Lost, long Overflowed);

/// <summary>The process that carries all wires of a lab. It ends by itself when its standard input does, so it cannot outlive the lab.</summary>
internal sealed class WireProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    private WireProcess(Process process) => _process = process;

    internal static WireProcess Start()
    {
        var start = new ProcessStartInfo(DotnetHost.Path, [Path.Combine(AppContext.BaseDirectory, "Gimlet.NatLab.Wire.dll")])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        DotnetHost.Quiet(start);
        return new WireProcess(Process.Start(start) ?? throw new LabException("the wire process did not start"));
    }

    /// <summary>Joins two new TUN devices. Each direction delays by <paramref name="oneWay"/>.</summary>
    internal Task AddAsync(string name, (string Namespace, string Device) a, (string Namespace, string Device) b, TimeSpan oneWay)
        => AskAsync($"wire {name} {a.Namespace} {a.Device} {b.Namespace} {b.Device} delay_us={(long)oneWay.TotalMicroseconds}");

    /// <summary>Changes both directions; see <c>Impairment.Set</c> for the keys.</summary>
    internal Task SetAsync(string name, string settings) => AskAsync($"set {name} both {settings}");

    /// <summary>Counters for packets that entered at end a, and at end b.</summary>
    internal async Task<(WireCount A, WireCount B)> CountAsync(string name)
    {
        var answer = await AskAsync($"stats {name}");
        var n = Array.ConvertAll(answer.Split(' ')[1..], word => long.Parse(word, CultureInfo.InvariantCulture));
        return (new WireCount(n[0], n[1], n[2]), new WireCount(n[3], n[4], n[5]));
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _oneAtATime.Dispose();
    }

    private async Task<string> AskAsync(string line)
    {
        await _oneAtATime.WaitAsync(CancellationToken.None);
        try
        {
            await _process.StandardInput.WriteLineAsync(line);
            await _process.StandardInput.FlushAsync(CancellationToken.None);
            var answer = await _process.StandardOutput.ReadLineAsync(CancellationToken.None);
            return answer is not null && answer.StartsWith("ok", StringComparison.Ordinal)
                ? answer
                : throw new LabException($"wire: {answer ?? "the process ended"}");
        }
        finally
        {
            _oneAtATime.Release();
        }
    }
}
