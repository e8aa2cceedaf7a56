using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Gimlet.Sockets.Tests.Linux;

/// <summary>
/// A network namespace without a name: a thread leaves the machine's network, what it opens and starts lives in its own,
/// and the namespace is gone with the last of them, however the test ends.
/// </summary>
internal static partial class NetworkNamespace
{
    private const int CloneNewNetwork = 0x40000000;

    /// <summary>Runs a test inside a fresh namespace that has only a loopback interface, which is down.</summary>
    public static void Run(Action test)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("Network namespaces need Linux.");
        }

        ExceptionDispatchInfo? failure = null;
        string? skip = null;
        var thread = new Thread(() =>
        {
            if (Unshare(CloneNewNetwork) != 0)
            {
                skip = $"A network namespace cannot be made here: {Marshal.GetLastPInvokeErrorMessage()}.";
                return;
            }

            try
            {
                test();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e); // thrown again below, on the test's own thread
            }
        });
        thread.Start();
        thread.Join();
        if (skip is not null)
        {
            Assert.Skip(skip);
        }

        failure?.Throw();
    }

    /// <summary>Runs a program; only from inside <see cref="Run"/>, whose thread the child inherits its network from.</summary>
    public static void Command(string program, string arguments)
    {
        using Process process = Start(program, arguments);
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {arguments}: {error}");
    }

    private static Process Start(string program, string arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        }
        catch (Win32Exception)
        {
            Assert.Skip($"{program} is not installed (Debian's packages iproute2 and nftables).");
            throw;
        }
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unshare(int flags);
}
