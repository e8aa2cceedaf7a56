using System.Runtime.InteropServices;

namespace Gimlet.Sockets.Linux;

/// <content>Sending: sendmmsg, or sendmsg once per datagram.</content>
internal sealed partial class LinuxDatagramSocket
{
    private const int SendFlags = Constants.MsgDontWait | Constants.MsgNoSignal;

    /// <inheritdoc/>
    public override unsafe DatagramSendResult Send(
        ReadOnlySpan<byte> payload,
        in TransportAddress remote,
        in TransportAddress from = default,
        DatagramSendOptions options = default)
    {
        if (!CanSend(remote, from))
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            return NotSent(DatagramSendResult.Unreachable);
        }

        byte* name = stackalloc byte[SocketName.MaxLength];
        byte* control = stackalloc byte[ControlMessages.MaxLength];
        fixed (byte* bytes = payload)
        {
            IoVector vector = new() { Base = bytes, Length = (nuint)payload.Length };
            MessageHeader message = new()
            {
                Name = name,
                NameLength = SocketName.Write(new Span<byte>(name, SocketName.MaxLength), remote),
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = (nuint)ControlMessages.Write(new Span<byte>(control, ControlMessages.MaxLength), _ipv6, from, options),
            };
            int errno = SendOne(&message);
            if (errno != 0)
            {
                return NotSent(errno, from);
            }
        }

        Counters.CountSent(1, payload.Length);
        return DatagramSendResult.Sent;
    }

    /// <inheritdoc/>
    public override int Send(DatagramSendBatch batch)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        SendHeaders headers = SendHeaders.Of(batch);
        for (int i = 0; i < batch.Count; i++)
        {
            headers.Prepare(i, _ipv6);
        }

        int sent = 0;
        int datagrams = 0;
        long bytes = 0;
        bool full = false;
        bool retried = false;
        for (int next = 0; next < batch.Count;)
        {
            ref DatagramSendBatch.Entry entry = ref batch.EntryAt(next);
            if (full || !CanSend(entry.Remote, entry.From))
            {
                entry.Result = NotSent(full ? DatagramSendResult.WouldBlock : DatagramSendResult.Unreachable);
                entry.SegmentsSent = 0;
                next++;
                continue;
            }

            if (!FitsOneCall(entry.Length, entry.SegmentSize))
            {
                sent += SendSlotInSegments(batch, next++, out full);
                continue;
            }

            int count = SendRun(headers, batch, next);
            if (count > 0)
            {
                for (int i = 0; i < count; i++, next++)
                {
                    ref DatagramSendBatch.Entry done = ref batch.EntryAt(next);
                    done.Result = DatagramSendResult.Sent;
                    done.SegmentsSent = DatagramSegments.Count(done.Length, done.SegmentSize);
                    datagrams += done.SegmentsSent;
                    bytes += done.Length;
                }

                sent += count;
                retried = false;
                continue;
            }

            int errno = Marshal.GetLastPInvokeError();
            if (entry.SegmentSize != 0 && MayRefuseSegments(errno))
            {
                sent += SendSlotInSegments(batch, next++, out full);
                retried = false;
            }
            else if (errno != Errno.Interrupted && !MayBeOfAnEarlierDatagram(errno, ref retried))
            {
                entry.Result = NotSent(errno, entry.From);
                entry.SegmentsSent = 0;
                full = entry.Result == DatagramSendResult.WouldBlock;
                next++;
                retried = false;
            }
        }

        Counters.CountSent(datagrams, bytes);
        return sent;
    }

    private DatagramSendResult NotSent(int errno, in TransportAddress from)
    {
        if (errno == Errno.NoBuffers)
        {
            SetQueueFull();
        }

        return NotSent(Errno.ToSendResult(errno, !from.IsEmpty));
    }

    /// <summary>Sends what a header describes; the error number, or 0.</summary>
    private unsafe int SendOne(MessageHeader* message)
    {
        bool retried = false;
        while (Libc.SendMessage(_handle, message, SendFlags) < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.Interrupted && !MayBeOfAnEarlierDatagram(errno, ref retried))
            {
                return errno;
            }
        }

        return 0;
    }

    // The kernel ignores packet info of the other family and would send from an address of its own choice.
    private bool CanSend(in TransportAddress remote, in TransportAddress from) =>
        !remote.IsEmpty && remote.IsIPv6 == _ipv6 && (from.IsEmpty || from.IsIPv6 == _ipv6);

    // Sends from `first` on; the kernel stops before the first datagram that fails, and says why only when asked again.
    private unsafe int SendRun(SendHeaders headers, DatagramSendBatch batch, int first)
    {
        if (!_batchSend)
        {
            return Libc.SendMessage(_handle, &headers.At(first)->Header, SendFlags) < 0 ? -1 : 1;
        }

        int end = first + 1;
        for (; end < batch.Count; end++)
        {
            ref DatagramSendBatch.Entry entry = ref batch.EntryAt(end);
            if (!CanSend(entry.Remote, entry.From) || !FitsOneCall(entry.Length, entry.SegmentSize))
            {
                break;
            }
        }

        int count = Libc.SendMessages(_handle, headers.At(first), (uint)(end - first), SendFlags);
        if (_errorReports && count > 0 && count < end - first)
        {
            _errorSeen = true; // a report may have been what stopped it; its error number is lost
        }

        return count;
    }
}
