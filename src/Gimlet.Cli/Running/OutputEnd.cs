using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gimlet.Cli.Running;

/// <summary>
/// Tells who reads standard output that it has ended, while the process goes on. Closing number 1 is not enough: a pipe ends with the last descriptor that
/// writes to it, and the runtime keeps a copy of each standard stream from its start.
/// </summary>
internal static partial class OutputEnd
{
    private const int Input = 0;
    private const int Output = 1;
    private const int Error = 2;
    private const string Descriptors = "/proc/self/fd";
    private const string Nothing = "/dev/null";

    /// <summary>Ends it, where it is a pipe or a socket and nothing else of this process is needed of it; files and terminals have no end to tell.</summary>
    /// <remarks>Only Linux says which descriptors are copies. Elsewhere the reader sees the end when the process has ended.</remarks>
    public static void Tell()
    {
        if (!OperatingSystem.IsLinux() || Target(Output) is not { } output || output == Target(Error) || output.StartsWith("/dev/", StringComparison.Ordinal))
        {
            return;
        }

        if (output.StartsWith("socket:", StringComparison.Ordinal))
        {
            // Standard input may be the same socket and goes on; so do all copies.
            using var handle = new SafeSocketHandle(Output, ownsHandle: false);
            using var socket = new Socket(handle);
            socket.Shutdown(SocketShutdown.Send);
            return;
        }

        if (output == Target(Input))
        {
            return;
        }

        using SafeFileHandle nothing = File.OpenHandle(Nothing, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        foreach (string path in Directory.EnumerateFileSystemEntries(Descriptors))
        {
            int descriptor = int.Parse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture);
            if (Target(descriptor) == output)
            {
                // Replaced and not closed: whoever holds the number must not find a socket behind it one day.
                _ = Replace(nothing, descriptor);
            }
        }
    }

    // "pipe:[123]" or "socket:[123]", the same for all copies (proc_pid_fd(5)); null where there is no such descriptor.
    private static string? Target(int descriptor) => new FileInfo($"{Descriptors}/{descriptor}").LinkTarget;

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Replace(SafeFileHandle by, int descriptor);
}
