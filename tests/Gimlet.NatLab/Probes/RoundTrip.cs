using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Gimlet.NatLab.Lab;

namespace Gimlet.NatLab.Probes;

/// <summary>Round trips as the kernels see them: <c>ping</c>, whose far end is no process and whose near end is stamped by the kernel.</summary>
internal static partial class RoundTrip
{
    /// <summary>Pings.</summary>
    /// <returns>The median of <paramref name="count"/> round trips, in milliseconds.</returns>
    internal static async Task<double> MedianAsync(LabHost from, IPAddress to, int count, CancellationToken cancellation)
    {
        var arguments = new[] { "netns", "exec", from.Namespace, "ping", "-n", "-i", "0.02", "-c", $"{count}", "-w", "20", to.ToString() };
        var output = await Command.RunAsync("ip", arguments, "", cancellation);
        var times = Time().Matches(output).Select(match => double.Parse(match.Groups["ms"].ValueSpan, CultureInfo.InvariantCulture)).Order().ToList();
        return times[times.Count / 2];
    }

    [GeneratedRegex("time=(?<ms>[0-9.]+) ms", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Time();
}
