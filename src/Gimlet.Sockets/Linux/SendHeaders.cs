using System.Runtime.CompilerServices;

namespace Gimlet.Sockets.Linux;

/// <summary>The kernel's view of a <see cref="DatagramSendBatch"/>: headers in pinned arrays, pointers written once.</summary>
internal sealed unsafe class SendHeaders
{
    private readonly DatagramSendBatch _batch;
    private readonly BatchHeader[] _headers;
    private readonly IoVector[] _vectors;
    private readonly byte[] _names;
    private readonly byte[] _controls;

    private SendHeaders(DatagramSendBatch batch)
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
            ref MessageHeader header = ref _headers[i].Header;
            header.Name = (byte*)Unsafe.AsPointer(ref _names[i * SocketName.MaxLength]);
            header.Vectors = (IoVector*)Unsafe.AsPointer(ref _vectors[i]);
            header.VectorCount = 1;
            header.Control = (byte*)Unsafe.AsPointer(ref _controls[i * ControlMessages.MaxLength]);
        }
    }

    public static SendHeaders Of(DatagramSendBatch batch)
    {
        if (batch.KernelHeaders is not SendHeaders headers)
        {
            batch.KernelHeaders = headers = new SendHeaders(batch);
        }

        return headers;
    }

    public BatchHeader* At(int index) => (BatchHeader*)Unsafe.AsPointer(ref _headers[index]);

    /// <summary>Writes the header of one slot.</summary>
    public void Prepare(int index, bool ipv6)
    {
        ref DatagramSendBatch.Entry entry = ref _batch.EntryAt(index);
        _vectors[index].Length = (nuint)entry.Length;
        ref MessageHeader header = ref _headers[index].Header;
        header.NameLength = SocketName.Write(_names.AsSpan(index * SocketName.MaxLength, SocketName.MaxLength), entry.Remote);
        Span<byte> control = _controls.AsSpan(index * ControlMessages.MaxLength, ControlMessages.MaxLength);
        int length = ControlMessages.Write(control, ipv6, entry.From, entry.Options);
        if (entry.SegmentSize != 0)
        {
            length += ControlMessages.WriteSegmentSize(control[length..], entry.SegmentSize);
        }

        header.ControlLength = (nuint)length;
    }
}
