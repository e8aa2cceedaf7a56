using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Gimlet.Quic.Streams.Buffers;

/// <summary>
/// Ranges in ascending order that neither overlap nor touch. An array with room in front, so that taking the first costs nothing; a range in the
/// middle moves those behind it. Whoever adds says how many there may be.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct RangeSet
{
    private const int FirstCapacity = 4;

    /// <summary>An empty set keeps an array of up to so many ranges: 512 bytes.</summary>
    private const int KeptCapacity = 32;

    private ByteRange[]? _ranges;
    private int _head;

    /// <summary>How many ranges there are.</summary>
    public int Count { get; private set; }

    /// <summary>A range, from the first on.</summary>
    public readonly ByteRange this[int index] => _ranges![_head + index];

    /// <summary>Adds a range; what it overlaps or touches becomes one with it.</summary>
    /// <param name="start">Its first byte.</param>
    /// <param name="end">Behind its last byte.</param>
    /// <param name="maxCount">How many ranges there may be.</param>
    /// <returns>False when there would be more than <paramref name="maxCount"/>: nothing was added.</returns>
    public bool TryAdd(long start, long end, int maxCount)
    {
        int first = FirstThatEndsFrom(start);
        int next = first;
        while (next < Count && this[next].Start <= end)
        {
            next++;
        }

        if (first == next)
        {
            if (Count >= maxCount)
            {
                return false;
            }

            Insert(first, new ByteRange(start, end));
            return true;
        }

        var merged = new ByteRange(Math.Min(start, this[first].Start), Math.Max(end, this[next - 1].End));
        _ranges![_head + first] = merged;
        RemoveAt(first + 1, next - first - 1);
        return true;
    }

    /// <summary>Adds a range, and where there would be too many, what lies between it and its nearest neighbour as well.</summary>
    /// <param name="start">Its first byte.</param>
    /// <param name="end">Behind its last byte.</param>
    /// <param name="maxCount">How many ranges there may be, one at least.</param>
    public void AddRoughly(long start, long end, int maxCount)
    {
        if (TryAdd(start, end, maxCount))
        {
            return;
        }

        int next = FirstThatEndsFrom(start);
        if (next == Count || (next > 0 && start - this[next - 1].End <= this[next].Start - end))
        {
            start = this[next - 1].End;
        }
        else
        {
            end = this[next].Start;
        }

        _ = TryAdd(start, end, maxCount);
    }

    /// <summary>Takes a range out. One that it lies within becomes two.</summary>
    public void Remove(long start, long end)
    {
        int index = FirstThatEndsFrom(start + 1);
        while (index < Count && this[index].Start < end)
        {
            ByteRange range = this[index];
            if (range.Start < start && range.End > end)
            {
                _ranges![_head + index] = new ByteRange(range.Start, start);
                Insert(index + 1, new ByteRange(end, range.End));
                return;
            }

            if (range.Start >= start && range.End <= end)
            {
                RemoveAt(index, 1);
                continue;
            }

            _ranges![_head + index] = range.Start < start ? new ByteRange(range.Start, start) : new ByteRange(end, range.End);
            index++;
        }
    }

    /// <summary>Takes out everything in front of an offset.</summary>
    public void RemoveBelow(long offset)
    {
        while (Count > 0 && this[0].Start < offset)
        {
            if (this[0].End > offset)
            {
                _ranges![_head] = new ByteRange(offset, this[0].End);
                return;
            }

            RemoveAt(0, 1);
        }
    }

    /// <summary>The first range that ends at an offset or behind it; <see cref="Count"/> where none does.</summary>
    public readonly int FirstThatEndsFrom(long offset)
    {
        // Most ranges come in order.
        if (Count == 0 || this[Count - 1].End < offset)
        {
            return Count;
        }

        int low = 0, high = Count - 1;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (this[middle].End < offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>Forgets all ranges, and an array that is large.</summary>
    public void Clear()
    {
        Count = 0;
        _head = 0;
        if (_ranges?.Length > KeptCapacity)
        {
            _ranges = null;
        }
    }

    private void Insert(int index, ByteRange range)
    {
        MakeRoom();
        Array.Copy(_ranges, _head + index, _ranges, _head + index + 1, Count - index);
        _ranges[_head + index] = range;
        Count++;
    }

    private void RemoveAt(int index, int count)
    {
        if (index == 0)
        {
            _head += count;
        }
        else if (count > 0)
        {
            Array.Copy(_ranges!, _head + index + count, _ranges!, _head + index, Count - index - count);
        }

        Count -= count;
        if (Count == 0)
        {
            _head = 0;
        }
    }

    [MemberNotNull(nameof(_ranges))]
    private void MakeRoom()
    {
        _ranges ??= new ByteRange[FirstCapacity];
        if (_head + Count < _ranges.Length)
        {
            return;
        }

        // Half of it in front is room enough; else what is moved would be moved again soon.
        ByteRange[] target = _head >= _ranges.Length / 2 ? _ranges : new ByteRange[_ranges.Length * 2];
        Array.Copy(_ranges, _head, target, 0, Count);
        _ranges = target;
        _head = 0;
    }
}
