using System.Runtime.CompilerServices;

namespace Gimlet.Sockets.Linux;

/// <summary>The kernel's view of a <see cref="DatagramReceiveBatch"/>: headers in pinned arrays, pointers written once.</summary>
internal sealed unsafe class ReceiveHeaders
{
    private readonly DatagramReceiveBatch _batch;
    private readonly BatchHeader[] _headers;
    private readonly IoVector[] _vectors;
    private readonly byte[] _names;
    private readonly byte[] _controls;

    private ReceiveHeaders(DatagramReceiveBatch batch)
    {
        _batch = batch;
        int capacity = batch.Capacity;
        _headers = GC.AllocateArray<BatchHeader>(capacity, pinned: true);
        _vectors = GC.AllocateArray<IoVector>(capacity, pinned: true);
        _names = GC.AllocateArray<byte>(capacity * SocketName.MaxLength, pinned: true);
        _controls = GC.AllocateArray<byte>(capacity * ControlMessages.MaxLength, pinned: true);
        for (int i = 0; i < capacity; i++)
        {
            _vectors[i].Base = (byte*)Unsafe.AsPointer(ref batch.Buffer[batch.SlotOffset(i)]);
            _vectors[i].Length = (nuint)batch.DatagramBytes;
            ref MessageHeader header = ref _headers[i].Header;
            header.Name = (byte*)Unsafe.AsPointer(ref _names[i * SocketName.MaxLength]);
            header.Vectors = (IoVector*)Unsafe.AsPointer(ref _vectors[i]);
            header.VectorCount = 1;
            header.Control = (byte*)Unsafe.AsPointer(ref _controls[i * ControlMessages.MaxLength]);
        }

        Rearm(capacity);
    }

    /// <summary>The first header, ready for a receive.</summary>
    public BatchHeader* First => (BatchHeader*)Unsafe.AsPointer(ref _headers[0]);

    public static ReceiveHeaders Of(DatagramReceiveBatch batch)
    {
        if (batch.KernelHeaders is not ReceiveHeaders headers)
        {
            batch.KernelHeaders = headers = new ReceiveHeaders(batch);
        }

        return headers;
    }

    /// <summary>Moves what the kernel wrote into the batch, and makes the headers ready again.</summary>
    /// <param name="count">How many headers the kernel filled.</param>
    /// <param name="bound">The socket's own address, for the port, and where the kernel does not say the address.</param>
    /// <param name="counters">Counts what is received and what was cut.</param>
    public void Publish(int count, in TransportAddress bound, DatagramCounters counters)
    {
        long bytes = 0;
        int datagrams = 0;
        for (int i = 0; i < count; i++)
        {
            ref BatchHeader message = ref _headers[i];
            if ((message.Header.Flags & Constants.MsgTruncated) != 0)
            {
                counters.CountTruncated();
                continue;
            }

            TransportAddress remote = SocketName.Read(_names.AsSpan(i * SocketName.MaxLength, (int)message.Header.NameLength));
            ControlMessages.Read(
                _controls.AsSpan(i * ControlMessages.MaxLength, (int)message.Header.ControlLength),
                bound.Port,
                out TransportAddress local,
                out EcnMark ecn,
                out int segmentSize);
            _batch.Add(i, (int)message.Length, remote, local.IsEmpty ? bound : local, segmentSize, ecn);
            bytes += message.Length;
            datagrams += DatagramSegments.Count((int)message.Length, segmentSize);
        }

        counters.CountReceived(datagrams, bytes);
        Rearm(count);
    }

    // The kernel overwrites the lengths with what it used.
    private void Rearm(int count)
    {
        for (int i = 0; i < count; i++)
        {
            ref MessageHeader header = ref _headers[i].Header;
            header.NameLength = SocketName.MaxLength;
            header.ControlLength = ControlMessages.MaxLength;
            header.Flags = 0;
        }
    }
}
