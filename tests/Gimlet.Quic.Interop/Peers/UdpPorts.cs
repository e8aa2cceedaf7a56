using System.Globalization;

namespace Gimlet.Quic.Interop.Peers;

/// <summary>Which UDP ports a process has bound, as Linux tells: for programs that do not say it themselves.</summary>
internal static class UdpPorts
{
    public static IReadOnlyList<int> Of(int processId)
    {
        HashSet<string> sockets = [.. Directory.EnumerateFiles($"/proc/{processId}/fd").Select(Target).OfType<string>()];
        // proc(5): a heading, then sl, local_address (hexadecimal ADDRESS:PORT), six more, and the inode.
        return
        [
            .. from line in File.ReadLines("/proc/net/udp").Skip(1)
               let columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
               where sockets.Contains($"socket:[{columns[9]}]")
               select int.Parse(columns[1].Split(':')[1], NumberStyles.HexNumber),
        ];
    }

    // A descriptor may be closed between the listing and this.
    private static string? Target(string descriptor) => new FileInfo(descriptor).LinkTarget;
}
