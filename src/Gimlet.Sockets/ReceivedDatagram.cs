namespace Gimlet.Sockets;

/// <summary>
/// One datagram in a <see cref="DatagramReceiveBatch"/>: a view, valid until the next receive with that batch. With
/// <see cref="DatagramSocketCapabilities.ReceiveOffload"/> it may be several of the same sender and the same mark, one behind
/// the other: all but the last have <see cref="SegmentSize"/> bytes.
/// </summary>
public readonly struct ReceivedDatagram
{
    private readonly DatagramReceiveBatch _batch;
    private readonly int _index;

    internal ReceivedDatagram(DatagramReceiveBatch batch, int index)
    {
        _batch = batch;
        _index = index;
    }

    /// <summary>The bytes; writable, so that a decoder may work in place.</summary>
    public Span<byte> Payload
    {
        get
        {
            ref readonly DatagramReceiveBatch.Entry entry = ref _batch.EntryAt(_index);
            return _batch.Buffer.AsSpan(_batch.SlotOffset(entry.Slot), entry.Length);
        }
    }

    /// <summary>The same bytes as <see cref="Payload"/>.</summary>
    public Memory<byte> Memory
    {
        get
        {
            ref readonly DatagramReceiveBatch.Entry entry = ref _batch.EntryAt(_index);
            return _batch.Buffer.AsMemory(_batch.SlotOffset(entry.Slot), entry.Length);
        }
    }

    /// <summary>The length of each datagram in <see cref="Payload"/> but the last, which may be shorter; all of it when there is only one.</summary>
    public int SegmentSize => _batch.EntryAt(_index).SegmentSize;

    /// <summary>How many datagrams are in <see cref="Payload"/>; 1 without receive offload.</summary>
    public int SegmentCount
    {
        get
        {
            ref readonly DatagramReceiveBatch.Entry entry = ref _batch.EntryAt(_index);
            return DatagramSegments.Count(entry.Length, entry.SegmentSize);
        }
    }

    /// <summary>The datagrams in <see cref="Payload"/>, one by one: <c>foreach (Span&lt;byte&gt; segment in datagram.Segments)</c>.</summary>
    public DatagramSegments Segments => new(Payload, SegmentSize);

    /// <summary>The mark of explicit congestion notification; <see cref="EcnMark.NotEct"/> without <see cref="DatagramSocketCapabilities.Ecn"/>.</summary>
    public EcnMark Ecn => _batch.EntryAt(_index).Ecn;

    /// <summary>Who sent it, as the datagram says.</summary>
    public TransportAddress Remote => _batch.EntryAt(_index).Remote;

    /// <summary>
    /// The local address it came to, with the bound port: what to answer from. Without
    /// <see cref="DatagramSocketCapabilities.PacketInfo"/> it is the address the socket is bound to.
    /// </summary>
    public TransportAddress Local => _batch.EntryAt(_index).Local;
}
