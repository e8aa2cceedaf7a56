namespace Gimlet.Sockets;

/// <summary>
/// Slots that <see cref="DatagramSocket.Receive"/> fills: allocated once, used for the life of a receive loop. What it
/// holds is valid until the next receive with the same batch. One thread at a time.
/// </summary>
public sealed class DatagramReceiveBatch
{
    /// <summary>Datagrams per batch by default: the gain per datagram is flat beyond a few dozen, and 64 slots of 2 KiB stay in the cache.</summary>
    public const int DefaultCapacity = 64;

    /// <summary>Bytes per slot by default: above Ethernet's 1500, below what an attacker could make us copy for nothing.</summary>
    public const int DefaultDatagramBytes = 2048;

    /// <summary>Bytes per slot that <see cref="DatagramSocketOptions.ReceiveOffload"/> needs: the most that the system joins.</summary>
    public const int OffloadDatagramBytes = ushort.MaxValue;

    private readonly Entry[] _entries;
    private readonly int _stride;

    /// <summary>Makes the slots.</summary>
    /// <param name="capacity">Datagrams per batch, 1 to 1024 (the kernel's own limit for one call is 1024, UIO_MAXIOV).</param>
    /// <param name="datagramBytes">
    /// Bytes per slot, 1 to 65535; a longer datagram is dropped and counted. A socket with receive offload needs
    /// <see cref="OffloadDatagramBytes"/>; 8 such slots are half a megabyte and can hold hundreds of datagrams.
    /// </param>
    public DatagramReceiveBatch(int capacity = DefaultCapacity, int datagramBytes = DefaultDatagramBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1024);
        ArgumentOutOfRangeException.ThrowIfLessThan(datagramBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(datagramBytes, ushort.MaxValue);
        Capacity = capacity;
        DatagramBytes = datagramBytes;
        _entries = new Entry[capacity];

        // One spare byte tells a datagram that filled the slot from one that was cut, on systems that do not say.
        _stride = (datagramBytes + 1 + 7) & ~7;
        Buffer = GC.AllocateUninitializedArray<byte>(capacity * _stride, pinned: true);
    }

    /// <summary>How many datagrams fit.</summary>
    public int Capacity { get; }

    /// <summary>How long a datagram may be, in bytes.</summary>
    public int DatagramBytes { get; }

    /// <summary>How many datagrams the last receive left here.</summary>
    public int Count { get; private set; }

    /// <summary>A datagram of the last receive.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    public ReceivedDatagram this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            return new ReceivedDatagram(this, index);
        }
    }

    /// <summary>All slots, pinned so that the kernel may write into them without a handle per call.</summary>
    internal byte[] Buffer { get; }

    /// <summary>The kernel's view of the slots, made by the implementation that first uses this batch.</summary>
    internal object? KernelHeaders { get; set; }

    internal int SlotOffset(int slot) => slot * _stride;

    internal Memory<byte> SlotWithSpareByte(int slot) => Buffer.AsMemory(slot * _stride, DatagramBytes + 1);

    internal void Clear() => Count = 0;

    internal void Add(
        int slot, int length, in TransportAddress remote, in TransportAddress local, int segmentSize = 0, EcnMark ecn = EcnMark.NotEct) =>
        _entries[Count++] = new Entry(slot, length, segmentSize > 0 && segmentSize < length ? segmentSize : length, ecn, remote, local);

    internal ref readonly Entry EntryAt(int index) => ref _entries[index];

    internal readonly struct Entry(
        int slot, int length, int segmentSize, EcnMark ecn, in TransportAddress remote, in TransportAddress local)
    {
        public readonly int Slot = slot;
        public readonly int Length = length;
        public readonly int SegmentSize = segmentSize;
        public readonly EcnMark Ecn = ecn;
        public readonly TransportAddress Remote = remote;
        public readonly TransportAddress Local = local;
    }
}
