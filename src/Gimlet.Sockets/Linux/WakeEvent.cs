using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gimlet.Sockets.Linux;

/// <summary>An eventfd that, once set, stays readable: what makes a thread in poll(2) notice that its socket is disposed.</summary>
internal sealed unsafe class WakeEvent : IDisposable
{
    private readonly SafeFileHandle _handle;

    public WakeEvent()
    {
        int descriptor = Libc.EventDescriptor(0, Constants.EventCloseOnExec | Constants.EventNonBlocking);
        if (descriptor < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        _handle = new SafeFileHandle(descriptor, ownsHandle: true);
    }

    public SafeHandle Handle => _handle;

    public void Set()
    {
        ulong one = 1;

        // Fails only when the counter would overflow, and then it is set already.
        _ = Libc.Write(_handle, &one, sizeof(ulong));
    }

    public void Dispose() => _handle.Dispose();
}
