using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gimlet.Sockets.Linux;

/// <summary>
/// One thread for the process, made when a send buffer is first full, that sleeps in epoll(7) until a watched socket is
/// writable. The framework has such a thread, but no operation that waits for room without sending.
/// </summary>
internal static unsafe class WritabilityWatcher
{
    private const int EventsPerWait = 64;

    // struct epoll_event { u32 events; u64 data } is packed on x64 only.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventLength = DataOffset + sizeof(ulong);

    private static readonly Lock Changing = new();
    private static readonly Dictionary<long, SendGate> Gates = [];
    private static SafeFileHandle? _epoll;
    private static long _lastWatch;

    /// <summary>Watches a socket until <see cref="Remove"/>; when it is writable, now or later, the gate is opened.</summary>
    /// <returns>The number to remove it by.</returns>
    public static long Add(SendGate gate, SafeHandle socket)
    {
        long watch;
        SafeFileHandle epoll;
        lock (Changing)
        {
            epoll = _epoll ??= Start();
            watch = ++_lastWatch;
            Gates.Add(watch, gate);
        }

        // Edge-triggered: an error report that nobody has taken yet makes every wait for this descriptor return at once, and a
        // level-triggered watch would spin on it.
        byte* happening = stackalloc byte[16];
        var bytes = new Span<byte>(happening, EventLength);
        bytes.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Constants.EpollOut | Constants.EpollEdgeTriggered);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[DataOffset..], watch);
        if (Libc.EpollControl(epoll, Constants.EpollAdd, socket, happening) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            Forget(watch);
            throw new Win32Exception(errno); // ENOSPC, ENOMEM: the machine's limits
        }

        return watch;
    }

    /// <summary>Ends a watch.</summary>
    public static void Remove(long watch, SafeHandle socket)
    {
        Forget(watch);
        byte* unused = stackalloc byte[16];
        _ = Libc.EpollControl(_epoll!, Constants.EpollDelete, socket, unused); // cannot fail for a descriptor that is watched
    }

    private static SafeFileHandle Start()
    {
        int descriptor = Libc.EpollCreate(Constants.EpollCloseOnExec);
        if (descriptor < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError()); // the process has too many descriptors; a later call may work
        }

        var epoll = new SafeFileHandle(descriptor, ownsHandle: true);
        new Thread(() => Watch(epoll)) { IsBackground = true, Name = "Gimlet send buffers" }.Start();
        return epoll;
    }

    private static void Forget(long watch)
    {
        lock (Changing)
        {
            _ = Gates.Remove(watch);
        }
    }

    private static void Watch(SafeFileHandle epoll)
    {
        byte[] happenings = GC.AllocateArray<byte>(EventsPerWait * EventLength, pinned: true);
        while (true)
        {
            int count;
            fixed (byte* first = happenings)
            {
                count = Libc.EpollWait(epoll, first, EventsPerWait, -1);
            }

            // A negative count is EINTR: nothing else can befall a descriptor of our own.
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> happening = happenings.AsSpan(i * EventLength, EventLength);
                if ((BinaryPrimitives.ReadUInt32LittleEndian(happening) & Constants.EpollOut) != 0)
                {
                    Open(BinaryPrimitives.ReadInt64LittleEndian(happening[DataOffset..]));
                }
            }
        }
    }

    private static void Open(long watch)
    {
        SendGate? gate;
        lock (Changing)
        {
            _ = Gates.TryGetValue(watch, out gate); // gone when the socket was closed meanwhile
        }

        gate?.Open();
    }
}
