using System.Runtime.InteropServices;

namespace Gimlet.Sockets.Linux;

/// <content>Sending several datagrams from one buffer: UDP_SEGMENT, or without it sendmmsg, or sendmsg once per datagram.</content>
internal sealed partial class LinuxDatagramSocket
{
    // UDP_MAX_SEGMENTS of the kernel when UDP_SEGMENT came (4.18); newer ones allow 128.
    private const int MaxSegments = 64;

    // The longest payload of UDP over IPv4: 65,535 less 20 bytes of IP and 8 of UDP. IPv6 would allow 20 more.
    private const int MaxPayload = 65507;

    /// <inheritdoc/>
    public override DatagramSendResult SendSegments(
        ReadOnlySpan<byte> payload,
        int segmentSize,
        in TransportAddress remote,
        out int segmentsSent,
        in TransportAddress from = default,
        DatagramSendOptions options = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(segmentSize);
        if (DatagramSegments.Count(payload.Length, segmentSize) == 1)
        {
            DatagramSendResult result = Send(payload, remote, from, options);
            segmentsSent = result == DatagramSendResult.Sent ? 1 : 0;
            return result;
        }

        if (!CanSend(remote, from))
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            segmentsSent = 0;
            return NotSent(DatagramSendResult.Unreachable);
        }

        return SendInSegments(payload, segmentSize, remote, out segmentsSent, from, options);
    }

    // What else these errors mean, sending the datagrams one by one tells: EIO, a device without checksum offload or a
    // transformation on the way; EINVAL, no checksum at all, and older kernels where a segment exceeds the MTU, which newer
    // ones call EMSGSIZE and which plain datagrams may exceed by fragments.
    private static bool MayRefuseSegments(int errno) => errno is Errno.InputOutput or Errno.Invalid or Errno.MessageSize;

    /// <summary>Whether the kernel may be given a slot of a batch as it is.</summary>
    private bool FitsOneCall(int length, int segmentSize) => segmentSize == 0
        || (_segmentation && length <= MaxPayload && length <= segmentSize * MaxSegments);

    private int SendSlotInSegments(DatagramSendBatch batch, int slot, out bool full)
    {
        ref DatagramSendBatch.Entry entry = ref batch.EntryAt(slot);
        ReadOnlySpan<byte> payload = batch.Buffer.AsSpan(batch.SlotOffset(slot), entry.Length);
        entry.Result = SendInSegments(payload, entry.SegmentSize, entry.Remote, out entry.SegmentsSent, entry.From, entry.Options);
        full = entry.Result == DatagramSendResult.WouldBlock;
        return entry.Result == DatagramSendResult.Sent ? 1 : 0;
    }

    private unsafe DatagramSendResult SendInSegments(
        ReadOnlySpan<byte> payload,
        int segmentSize,
        in TransportAddress remote,
        out int segmentsSent,
        in TransportAddress from,
        DatagramSendOptions options)
    {
        byte* name = stackalloc byte[SocketName.MaxLength];
        byte* control = stackalloc byte[ControlMessages.MaxLength];
        MessageHeader message = new()
        {
            Name = name,
            NameLength = SocketName.Write(new Span<byte>(name, SocketName.MaxLength), remote),
            Control = control,
            ControlLength = (nuint)ControlMessages.Write(new Span<byte>(control, ControlMessages.MaxLength), _ipv6, from, options),
        };
        int errno;
        segmentsSent = 0;
        int done = 0;
        fixed (byte* bytes = payload)
        {
            do
            {
                // A segment of more than half the longest payload leaves nothing to join.
                int offloadable = Math.Min(MaxSegments, MaxPayload / segmentSize);
                bool offload = _segmentation && offloadable > 1;
                int length = (int)Math.Min(payload.Length - done, (long)segmentSize * (offload ? offloadable : MaxSegments));
                errno = offload
                    ? SendOffloaded(message, bytes + done, length, segmentSize, out int sent)
                    : SendSplit(message, bytes + done, length, segmentSize, out sent);
                segmentsSent += sent;
                done = (int)Math.Min(payload.Length, (long)segmentsSent * segmentSize);
            }
            while (errno == 0 && done < payload.Length);
        }

        if (segmentsSent > 0)
        {
            Counters.CountSent(segmentsSent, done);
        }

        return errno == 0 ? DatagramSendResult.Sent : NotSent(errno, from);
    }

    /// <summary>Sends up to 64 datagrams by one call; the error number, or 0.</summary>
    private unsafe int SendOffloaded(MessageHeader message, byte* bytes, int length, int segmentSize, out int sent)
    {
        MessageHeader plain = message;
        IoVector vector = new() { Base = bytes, Length = (nuint)length };
        message.Vectors = &vector;
        message.VectorCount = 1;
        message.ControlLength += (nuint)ControlMessages.WriteSegmentSize(
            new Span<byte>(message.Control, ControlMessages.MaxLength)[(int)message.ControlLength..], segmentSize);
        int errno = SendOne(&message);
        if (!MayRefuseSegments(errno))
        {
            sent = errno == 0 ? DatagramSegments.Count(length, segmentSize) : 0;
            return errno;
        }

        int refusal = errno;
        errno = SendSplit(plain, bytes, length, segmentSize, out sent);
        if (sent > 0 && refusal != Errno.MessageSize)
        {
            // The same bytes to the same address were welcome one by one: it was the segmentation that was not.
            _segmentation = false;
            Capabilities &= ~DatagramSocketCapabilities.SegmentationOffload;
        }

        return errno;
    }

    /// <summary>Sends up to 64 datagrams one by one, in one call where the kernel can; the error number of the first that failed, or 0.</summary>
    private unsafe int SendSplit(MessageHeader message, byte* bytes, int length, int segmentSize, out int sent)
    {
        BatchHeader* headers = stackalloc BatchHeader[MaxSegments];
        IoVector* vectors = stackalloc IoVector[MaxSegments];
        int count = DatagramSegments.Count(length, segmentSize);
        for (int i = 0; i < count; i++)
        {
            int start = i * segmentSize;
            vectors[i] = new IoVector { Base = bytes + start, Length = (nuint)Math.Min(segmentSize, length - start) };
            headers[i].Header = message; // all have the same name and control messages
            headers[i].Header.Vectors = &vectors[i];
            headers[i].Header.VectorCount = 1;
        }

        bool retried = false;
        for (sent = 0; sent < count;)
        {
            int run = _batchSend
                ? Libc.SendMessages(_handle, headers + sent, (uint)(count - sent), SendFlags)
                : Libc.SendMessage(_handle, &headers[sent].Header, SendFlags) < 0 ? -1 : 1;
            if (run > 0)
            {
                sent += run;
                retried = false;
                _errorSeen |= _errorReports && _batchSend && sent < count; // as in SendRun
                continue;
            }

            int errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.Interrupted && !MayBeOfAnEarlierDatagram(errno, ref retried))
            {
                return errno;
            }
        }

        return 0;
    }
}
