using System.Buffers.Binary;

namespace Gimlet.Quic.Connections;

/// <summary>
/// Datagrams that wait, in one ring of bytes that grows to its bound and gives nothing back but on <see cref="Clear"/>: each is a length of two
/// bytes and the data, so that queueing allocates nothing once the ring is large enough.
/// </summary>
internal sealed class DatagramQueue
{
    private const int PrefixLength = sizeof(ushort);

    // The first ring: a handful of datagrams, so that a connection that uses them seldom stays small.
    private const int FirstCapacity = 8 * 1024;

    private readonly int _maxBytes;
    private byte[] _ring = [];
    private int _head;
    private int _used;

    /// <summary>Makes an empty queue.</summary>
    /// <param name="maxBytes">The bound, with two bytes for each datagram.</param>
    public DatagramQueue(int maxBytes) => _maxBytes = maxBytes;

    /// <summary>How many datagrams wait.</summary>
    public int Count { get; private set; }

    /// <summary>The length of the oldest one in bytes.</summary>
    public int NextLength => _ring[_head] | (_ring[Wrap(_head + 1)] << 8);

    /// <summary>Adds a datagram.</summary>
    /// <returns>False when the bound leaves no room.</returns>
    public bool TryEnqueue(ReadOnlySpan<byte> data)
    {
        int needed = PrefixLength + data.Length;
        if (data.Length > ushort.MaxValue || needed > _maxBytes - _used)
        {
            return false;
        }

        EnsureRoom(needed);
        Span<byte> prefix = stackalloc byte[PrefixLength];
        BinaryPrimitives.WriteUInt16LittleEndian(prefix, (ushort)data.Length);
        Put(prefix);
        Put(data);
        Count++;
        return true;
    }

    /// <summary>Takes the oldest datagram.</summary>
    /// <param name="destination">A longer datagram is cut.</param>
    /// <param name="length">Its whole length in bytes.</param>
    public bool TryDequeue(Span<byte> destination, out int length)
    {
        length = 0;
        if (Count == 0)
        {
            return false;
        }

        length = NextLength;
        CopyOut(Wrap(_head + PrefixLength), destination[..Math.Min(length, destination.Length)]);
        Drop();
        return true;
    }

    /// <summary>Forgets the oldest datagram.</summary>
    public void Drop()
    {
        int taken = PrefixLength + NextLength;
        _head = Wrap(_head + taken);
        _used -= taken;
        Count--;
    }

    /// <summary>Forgets everything and gives the memory back.</summary>
    public void Clear()
    {
        _ring = [];
        _head = 0;
        _used = 0;
        Count = 0;
    }

    private void EnsureRoom(int needed)
    {
        if (_ring.Length - _used >= needed)
        {
            return;
        }

        int capacity = Math.Max(FirstCapacity, _ring.Length);
        while (capacity - _used < needed)
        {
            capacity *= 2;
        }

        byte[] larger = new byte[Math.Min(capacity, Math.Max(_maxBytes, FirstCapacity))];
        CopyOut(_head, larger.AsSpan(0, _used));
        _ring = larger;
        _head = 0;
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        int tail = Wrap(_head + _used);
        int first = Math.Min(bytes.Length, _ring.Length - tail);
        bytes[..first].CopyTo(_ring.AsSpan(tail));
        bytes[first..].CopyTo(_ring);
        _used += bytes.Length;
    }

    private void CopyOut(int from, Span<byte> destination)
    {
        int first = Math.Min(destination.Length, _ring.Length - from);
        _ring.AsSpan(from, first).CopyTo(destination);
        _ring.AsSpan(0, destination.Length - first).CopyTo(destination[first..]);
    }

    private int Wrap(int position) => _ring.Length == 0 ? 0 : position % _ring.Length;
}
