namespace Gimlet.Sockets;

/// <summary>One datagram in a <see cref="DatagramReceiveBatch"/>: a view, valid until the next receive with that batch.</summary>
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

    /// <summary>Who sent it, as the datagram says.</summary>
    public TransportAddress Remote => _batch.EntryAt(_index).Remote;

    /// <summary>
    /// The local address it came to, with the bound port: what to answer from. Without
    /// <see cref="DatagramSocketCapabilities.PacketInfo"/> it is the address the socket is bound to.
    /// </summary>
    public TransportAddress Local => _batch.EntryAt(_index).Local;
}
