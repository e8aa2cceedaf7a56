using System.Runtime.InteropServices;

namespace Gimlet.Sockets.Linux;

/// <content>Receiving: recvmmsg, or recvmsg once per datagram.</content>
internal sealed partial class LinuxDatagramSocket
{
    // Each pending error of a socket is returned once and then cleared, so a few tries pass every burst of ICMP errors;
    // the bound only keeps an error that never clears from holding the thread.
    private const int MaxErrorsPerReceive = 64;

    /// <inheritdoc/>
    public override unsafe int Receive(DatagramReceiveBatch batch)
    {
        if (_receiveOffload && batch.DatagramBytes < DatagramReceiveBatch.OffloadDatagramBytes)
        {
            // Or joined datagrams would be cut and lost, at full speed only.
            throw new ArgumentException(
                $"A socket with receive offload needs slots of {DatagramReceiveBatch.OffloadDatagramBytes} bytes; these have {batch.DatagramBytes}.",
                nameof(batch));
        }

        ReceiveHeaders headers = ReceiveHeaders.Of(batch);
        batch.Clear();
        for (int errors = 0; errors < MaxErrorsPerReceive;)
        {
            int count = _batchReceive
                ? Libc.ReceiveMessages(_handle, headers.First, (uint)batch.Capacity, Constants.MsgDontWait, null)
                : ReceiveOneByOne(headers.First, batch.Capacity);
            if (count > 0)
            {
                headers.Publish(count, LocalAddress, Counters);
                if (batch.Count > 0)
                {
                    return batch.Count;
                }

                continue; // every one of them was cut; there may be more
            }

            int errno = Marshal.GetLastPInvokeError();
            if (errno == Errno.TryAgain)
            {
                return 0;
            }

            if (errno != Errno.Interrupted)
            {
                CountError();
                errors++;
            }
        }

        return 0;
    }

    /// <inheritdoc/>
    public override int ReceiveBlocking(DatagramReceiveBatch batch)
    {
        try
        {
            // First without asking poll: a busy server never pays for it.
            while (Receive(batch) == 0)
            {
                PollUntilReadableOrDisposed();
            }

            return batch.Count;
        }
        catch (ObjectDisposedException)
        {
            batch.Clear();
            return 0;
        }
    }

    private unsafe void PollUntilReadableOrDisposed()
    {
        WakeEvent wake = GetWakeEvent();
        bool socketHeld = false;
        bool wakeHeld = false;
        try
        {
            _handle.DangerousAddRef(ref socketHeld);
            wake.Handle.DangerousAddRef(ref wakeHeld);
            PollDescriptor* descriptors = stackalloc PollDescriptor[2];
            descriptors[0] = new PollDescriptor { Descriptor = (int)_handle.DangerousGetHandle(), Events = Constants.PollIn };
            descriptors[1] = new PollDescriptor { Descriptor = (int)wake.Handle.DangerousGetHandle(), Events = Constants.PollIn };

            // The outcome does not matter: the caller's Receive finds the datagram, takes the error, or is disposed.
            // Only the error queue must be emptied, because poll reports it as long as there is something in it.
            _ = Libc.Poll(descriptors, 2, -1);
            if (_errorReports && (descriptors[0].ReturnedEvents & Constants.PollError) != 0)
            {
                while (ErrorQueue.TryRead(_handle, out _))
                {
                }
            }
        }
        finally
        {
            if (wakeHeld)
            {
                wake.Handle.DangerousRelease();
            }

            if (socketHeld)
            {
                _handle.DangerousRelease();
            }
        }
    }

    // Made when first needed: a node with hundreds of sockets waits for none of them with a thread.
    private WakeEvent GetWakeEvent()
    {
        lock (_waking)
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            return _wake ??= new WakeEvent();
        }
    }

    private unsafe int ReceiveOneByOne(BatchHeader* headers, int capacity)
    {
        int count = 0;
        while (count < capacity)
        {
            nint length = Libc.ReceiveMessage(_handle, &headers[count].Header, Constants.MsgDontWait);
            if (length < 0)
            {
                return count == 0 ? -1 : count; // an error after the first waits for the next call, as with recvmmsg
            }

            headers[count++].Length = (uint)length;
        }

        return count;
    }
}
