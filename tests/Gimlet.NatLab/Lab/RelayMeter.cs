using System.Globalization;
using System.Text.RegularExpressions;

namespace Gimlet.NatLab.Lab;

/// <summary>
/// Counts what a host and the server's TCP port tell each other, in bytes: signalling, keep-alive, and what is relayed. The kernel counts (nft), so it is
/// evidence that does not depend on what the program under test says of itself.
/// </summary>
internal sealed partial class RelayMeter(LabHost host)
{
    private const string Table = "relay_meter";

    /// <summary>Begins, or begins again from zero.</summary>
    internal Task BeginAsync(int serverPort, CancellationToken cancellation)
    {
        var rules = $$"""
            table inet {{Table}} {}
            delete table inet {{Table}}
            table inet {{Table}} {
              counter passed {}
              chain out { type filter hook output priority filter; tcp dport {{serverPort}} counter name passed; }
              chain in { type filter hook input priority filter; tcp sport {{serverPort}} counter name passed; }
            }
            """;
        return Command.RunAsync("ip", ["netns", "exec", host.Namespace, "nft", "-f", "-"], rules, cancellation);
    }

    /// <summary>Bytes since then, both directions, IP headers included.</summary>
    internal async Task<long> ReadAsync(CancellationToken cancellation)
    {
        var text = await Command.RunAsync("ip", ["netns", "exec", host.Namespace, "nft", "list", "counter", "inet", Table, "passed"], "", cancellation);
        return long.Parse(Bytes().Match(text).Groups["bytes"].ValueSpan, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("bytes (?<bytes>[0-9]+)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Bytes();
}
