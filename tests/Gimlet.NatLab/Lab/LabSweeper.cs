using System.Globalization;
using Gimlet.NatLab.Wire;

namespace Gimlet.NatLab.Lab;

/// <summary>Removes namespaces, and the processes that still run in them.</summary>
internal static class LabSweeper
{
    /// <summary>Removes what labs whose process died left behind.</summary>
    internal static async Task SweepAbandonedAsync(CancellationToken cancellation)
    {
        if (LabNames.FindAbandoned() is { Count: > 0 } names)
        {
            await RemoveAsync(names, cancellation);
        }
    }

    /// <summary>Ends every process in these namespaces, by its id, and removes them.</summary>
    internal static async Task RemoveAsync(IReadOnlyList<string> names, CancellationToken cancellation)
    {
        foreach (var name in names)
        {
            var pids = await Command.RunAsync("ip", ["netns", "pids", name], "", cancellation);
            foreach (var pid in pids.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                var number = int.Parse(pid, CultureInfo.InvariantCulture);
                // A thread of this very process may be inside for a moment (NetworkNamespace.Run).
                if (number != Environment.ProcessId)
                {
                    // "No such process" is what was wanted.
                    _ = Kernel.Kill(number, Kernel.SignalKill);
                }
            }
        }

        // -force: one that another sweeper removed first is no reason to leave the rest.
        await Command.RunAsync("ip", ["-force", "-batch", "-"], string.Concat(names.Where(Exists).Select(name => $"netns del {name}\n")), cancellation);
    }

    private static bool Exists(string name) => File.Exists($"{NetworkNamespace.Folder}/{name}");
}
