namespace Gimlet.Sockets;

/// <summary>
/// Datagrams to send together: write into <see cref="NextPayload"/>, <see cref="Commit"/>, send, <see cref="Clear"/>. A slot
/// holds one datagram, or with a segment size several to the same address.
/// Allocated once, used for the life of a send loop. One thread at a time.
/// </summary>
public sealed class DatagramSendBatch
{
    private readonly Entry[] _entries;
    private readonly int _stride;

    /// <summary>Makes the slots.</summary>
    /// <param name="capacity">Datagrams per batch, 1 to 1024 (the kernel's own limit for one call is 1024, UIO_MAXIOV).</param>
    /// <param name="datagramBytes">Bytes per slot, 1 to 65535.</param>
    public DatagramSendBatch(int capacity = DatagramReceiveBatch.DefaultCapacity, int datagramBytes = DatagramReceiveBatch.DefaultDatagramBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1024);
        ArgumentOutOfRangeException.ThrowIfLessThan(datagramBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(datagramBytes, ushort.MaxValue);
        Capacity = capacity;
        DatagramBytes = datagramBytes;
        _entries = new Entry[capacity];
        _stride = (datagramBytes + 7) & ~7;
        Buffer = GC.AllocateUninitializedArray<byte>(capacity * _stride, pinned: true);
    }

    /// <summary>How many datagrams fit.</summary>
    public int Capacity { get; }

    /// <summary>How long a datagram may be, in bytes.</summary>
    public int DatagramBytes { get; }

    /// <summary>How many datagrams are committed.</summary>
    public int Count { get; private set; }

    /// <summary>True when nothing more fits.</summary>
    public bool IsFull => Count == Capacity;

    /// <summary>Where the next datagram is written before <see cref="Commit"/>.</summary>
    /// <exception cref="InvalidOperationException">The batch is full.</exception>
    public Span<byte> NextPayload => IsFull
        ? throw new InvalidOperationException($"The batch is full: it holds {Capacity} datagrams.")
        : Buffer.AsSpan(Count * _stride, DatagramBytes);

    /// <summary>All slots, pinned so that the kernel may read them without a handle per call.</summary>
    internal byte[] Buffer { get; }

    /// <summary>The kernel's view of the slots, made by the implementation that first uses this batch.</summary>
    internal object? KernelHeaders { get; set; }

    /// <summary>Makes the bytes at <see cref="NextPayload"/> a datagram of the batch.</summary>
    /// <param name="length">How many of the bytes.</param>
    /// <param name="remote">Where to.</param>
    /// <param name="from">The local address to send from (its port is ignored); empty lets the system choose.</param>
    /// <param name="options">What differs from the socket's defaults.</param>
    /// <param name="segmentSize">The length of each datagram but the last, which may be shorter; 0 makes all bytes one datagram.</param>
    /// <exception cref="InvalidOperationException">The batch is full.</exception>
    public void Commit(
        int length,
        in TransportAddress remote,
        in TransportAddress from = default,
        DatagramSendOptions options = default,
        int segmentSize = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)DatagramBytes, nameof(length));
        ArgumentOutOfRangeException.ThrowIfNegative(segmentSize);
        if (IsFull)
        {
            throw new InvalidOperationException($"The batch is full: it holds {Capacity} datagrams.");
        }

        _entries[Count++] = new Entry
        {
            Length = length,
            SegmentSize = segmentSize < length ? segmentSize : 0,
            Remote = remote,
            From = from,
            Options = options,
        };
    }

    /// <summary>Copies a datagram, or several segments, into the batch.</summary>
    /// <param name="payload">The bytes.</param>
    /// <param name="remote">Where to.</param>
    /// <param name="from">The local address to send from (its port is ignored); empty lets the system choose.</param>
    /// <param name="options">What differs from the socket's defaults.</param>
    /// <param name="segmentSize">The length of each datagram but the last, which may be shorter; 0 makes all bytes one datagram.</param>
    /// <returns>False when the batch is full.</returns>
    /// <exception cref="ArgumentException">The payload is longer than <see cref="DatagramBytes"/>.</exception>
    public bool TryAdd(
        ReadOnlySpan<byte> payload,
        in TransportAddress remote,
        in TransportAddress from = default,
        DatagramSendOptions options = default,
        int segmentSize = 0)
    {
        if (payload.Length > DatagramBytes)
        {
            throw new ArgumentException($"A datagram of {payload.Length} bytes does not fit a slot of {DatagramBytes}.", nameof(payload));
        }

        if (IsFull)
        {
            return false;
        }

        payload.CopyTo(NextPayload);
        Commit(payload.Length, remote, from, options, segmentSize);
        return true;
    }

    /// <summary>What became of a slot in the last <see cref="DatagramSocket.Send(DatagramSendBatch)"/>.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1, in the order of <see cref="Commit"/>.</param>
    public DatagramSendResult ResultOf(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return _entries[index].Result;
    }

    /// <summary>
    /// How many datagrams of a slot left in the last <see cref="DatagramSocket.Send(DatagramSendBatch)"/>: all when its result
    /// is <see cref="DatagramSendResult.Sent"/>, else those before the one that failed.
    /// </summary>
    /// <param name="index">0 to <see cref="Count"/> - 1, in the order of <see cref="Commit"/>.</param>
    public int SegmentsSentOf(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return _entries[index].SegmentsSent;
    }

    /// <summary>Forgets all datagrams.</summary>
    public void Clear() => Count = 0;

    internal int SlotOffset(int slot) => slot * _stride;

    internal ref Entry EntryAt(int index) => ref _entries[index];

    internal struct Entry
    {
        public int Length;
        public int SegmentSize; // 0 when the slot is one datagram
        public int SegmentsSent;
        public TransportAddress Remote;
        public TransportAddress From;
        public DatagramSendOptions Options;
        public DatagramSendResult Result;
    }
}
