using System.Runtime.InteropServices;

namespace Gimlet.NatLab.Wire;

/// <summary>
/// Packets under way, ordered by the instant they are due; packets due at the same instant keep their order of arrival.
/// All memory is taken at the start, outside the managed heap, so that no collection ever delays a packet.
/// </summary>
internal sealed unsafe class PacketQueue : IDisposable
{
    /// <summary>Room for one packet: more than the 1500 bytes a TUN device hands over.</summary>
    internal const int SlotBytes = 2048;

    private readonly byte* _memory;
    private readonly int[] _free;
    private readonly Entry[] _heap;
    private int _freeCount;
    private int _count;
    private long _sequence;

    internal PacketQueue(int capacity)
    {
        // One slot more than can be queued: where there is no room, a packet is still read, to be dropped.
        _memory = (byte*)NativeMemory.Alloc((nuint)capacity + 1, SlotBytes);
        _free = new int[capacity];
        _heap = new Entry[capacity];
        for (var slot = 0; slot < capacity; slot++)
        {
            _free[slot] = slot;
        }

        _freeCount = capacity;
    }

    internal int Count => _count;

    /// <summary>When the earliest packet is due (nanoseconds). Only with <see cref="Count"/> above 0.</summary>
    internal long NextDue => _heap[0].Due;

    internal byte* Memory(int slot) => _memory + ((nint)slot * SlotBytes);

    /// <summary>
    /// A slot to read a packet into; it is given back with <see cref="Release"/> or, only where this returned true, handed on with
    /// <see cref="Add"/>. False: the queue is full and the slot is good for nothing but reading what will be dropped.
    /// </summary>
    internal bool TryRent(out int slot)
    {
        slot = _freeCount > 0 ? _free[--_freeCount] : _free.Length;
        return slot < _free.Length;
    }

    internal void Release(int slot)
    {
        if (slot < _free.Length)
        {
            _free[_freeCount++] = slot;
        }
    }

    internal void Add(long due, int slot, int length, int descriptor)
    {
        var entry = new Entry(due, _sequence++, slot, length, descriptor);
        var at = _count++;
        while (at > 0)
        {
            var parent = (at - 1) / 2;
            if (!entry.IsBefore(_heap[parent]))
            {
                break;
            }

            _heap[at] = _heap[parent];
            at = parent;
        }

        _heap[at] = entry;
    }

    /// <summary>Takes the earliest packet. The caller releases its slot.</summary>
    internal Entry Take()
    {
        var first = _heap[0];
        var last = _heap[--_count];
        var at = 0;
        for (var child = 1; child < _count; child = (2 * at) + 1)
        {
            if (child + 1 < _count && _heap[child + 1].IsBefore(_heap[child]))
            {
                child++;
            }

            if (!_heap[child].IsBefore(last))
            {
                break;
            }

            _heap[at] = _heap[child];
            at = child;
        }

        _heap[at] = last;
        return first;
    }

    public void Dispose() => NativeMemory.Free(_memory);

    /// <summary>One packet and the TUN device it leaves by.</summary>
    internal readonly record struct Entry(long Due, long Sequence, int Slot, int Length, int Descriptor)
    {
        internal bool IsBefore(in Entry other) => Due < other.Due || (Due == other.Due && Sequence < other.Sequence);
    }
}
