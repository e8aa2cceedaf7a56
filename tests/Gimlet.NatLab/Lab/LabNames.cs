using System.Globalization;
using Gimlet.NatLab.Wire;

namespace Gimlet.NatLab.Lab;

/// <summary>
/// Names of a lab's namespaces: <c>gimlet-PID-START-N-what</c>. They say which process owns them (its start time too, because ids are reused),
/// so that what a crashed run left behind is told from a lab that runs beside this one. Interfaces live inside namespaces and need no such names.
/// </summary>
internal static class LabNames
{
    private const string Mark = "gimlet";
    private static int _labs;

    /// <summary>A prefix that no other lab on this machine has.</summary>
    internal static string NewPrefix()
        => $"{Mark}-{Environment.ProcessId}-{StartOf(Environment.ProcessId)}-{Interlocked.Increment(ref _labs)}-";

    /// <summary>The namespaces of labs whose process is gone.</summary>
    internal static IReadOnlyList<string> FindAbandoned()
        => Directory.Exists(NetworkNamespace.Folder)
            ? [.. Directory.EnumerateFiles(NetworkNamespace.Folder, Mark + "-*").Select(path => Path.GetFileName(path)).Where(IsAbandoned)]
            : [];

    private static bool IsAbandoned(string name)
        => name.Split('-') is [_, var pid, var start, _, ..]
            && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && StartOf(number) != start;

    /// <summary>When a process started (clock ticks since boot), or "none" where there is none.</summary>
    private static string StartOf(int pid)
    {
        try
        {
            // proc(5): the second field is the name in parentheses and may hold anything; the start time is the 20th field after it.
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or IOException)
        {
            return "none";
        }
    }
}
