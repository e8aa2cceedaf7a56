using System.Runtime.InteropServices;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace Gimlet.NatLab.Wire;

/// <summary>The kernel calls of the lab that .NET has no name for. Linux only; every caller reads the error with <see cref="Marshal.GetLastPInvokeError"/>.</summary>
internal static unsafe partial class Kernel
{
    internal const int OpenReadOnly = 0;
    internal const int OpenReadWrite = 2;
    internal const int OpenNonBlocking = 0x800;
    internal const int OpenCloseOnExec = 0x80000;

    internal const int CloneNewNet = 0x40000000;

    /// <summary>TUNSETIFF of linux/if_tun.h: _IOW('T', 202, int).</summary>
    internal const nuint TunSetInterface = 0x400454CA;

    internal const short PollIn = 1;
    internal const short PollError = 8;
    internal const short PollHangUp = 16;

    internal const int ErrorInterrupted = 4;
    internal const int ErrorWouldBlock = 11;

    internal const int SetTimerSlack = 29;
    internal const int SchedulerFifo = 1;

    /// <summary>Threads started later (collector, compiler) are ordinary ones.</summary>
    internal const int SchedulerResetOnFork = 0x40000000;

    internal const int SignalInterrupt = 2;
    internal const int SignalKill = 9;
    internal const int SignalTerminate = 15;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    internal static partial int SetNamespace(int descriptor, int kind);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Control(int descriptor, nuint request, byte* argument);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "ppoll", SetLastError = true)]
    internal static partial int Poll(PollDescriptor* descriptors, nuint count, TimeSpec* timeout, void* signalMask);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    internal static partial int ProcessControl(int option, nuint argument);

    [LibraryImport("libc", EntryPoint = "sched_setscheduler", SetLastError = true)]
    internal static partial int SetScheduler(int pid, int policy, int* priority);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int pid, int signal);

    /// <summary>The failure of the last call, with its name and the kernel's words.</summary>
    internal static IOException Failure(string call)
    {
        var code = Marshal.GetLastPInvokeError();
        return new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(code)} (errno {code})");
    }

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct PollDescriptor
    {
        public int Descriptor;
        public short Wanted;
        public short Happened;
    }

    /// <summary>struct timespec on 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
