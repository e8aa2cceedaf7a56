using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Gimlet.Quic.Streams.Buffers;

/// <summary>
/// Memory for a part of a stream, by offset: segments of one size from the pool, in a ring that is reused. A segment is rented when something is
/// written into it, so memory follows the bytes' places and not the number of frames: a frame of one byte cannot cost more than any other in the
/// same place.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct SegmentRing
{
    private const int FirstSlots = 4;

    // The framework's shared pool keeps 32 arrays of a size per processor: one fast stream has hundreds of segments under way, and every one beyond
    // would be garbage. This one keeps so many for the whole process; of segments of 16 KB that are 16 MB.
    private const int PooledSegments = 1024;
    private const int MaxSegmentBytes = 64 * 1024;

    private static readonly ArrayPool<byte> Pool = ArrayPool<byte>.Create(MaxSegmentBytes, PooledSegments);

    private readonly int _shift;
    private byte[]?[]? _slots;
    private int _head;
    private int _count;
    private long _start;

    /// <summary>Makes an empty ring.</summary>
    /// <param name="segmentBytes">A power of two.</param>
    public SegmentRing(int segmentBytes) => _shift = BitOperations.Log2((uint)segmentBytes);

    /// <summary>How many segments are rented or would be, were there no gaps.</summary>
    public readonly int Count => _count;

    /// <summary>Writes bytes to their place.</summary>
    /// <param name="offset">Not in front of what was released.</param>
    /// <param name="data">The bytes.</param>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            Span<byte> room = Rent(offset);
            int length = Math.Min(room.Length, data.Length);
            data[..length].CopyTo(room);
            data = data[length..];
            offset += length;
        }
    }

    /// <summary>Copies bytes that were written.</summary>
    public readonly void CopyTo(long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            ReadOnlySpan<byte> source = Read(offset).Span;
            int length = Math.Min(source.Length, destination.Length);
            source[..length].CopyTo(destination);
            destination = destination[length..];
            offset += length;
        }
    }

    /// <summary>From an offset to the end of its segment, which was written to.</summary>
    public readonly ReadOnlyMemory<byte> Read(long offset)
    {
        long at = offset - _start;
        return _slots![Slot((int)(at >> _shift))].AsMemory((int)at & Mask, SegmentBytes - ((int)at & Mask));
    }

    /// <summary>Gives back the segments that end in front of an offset or at it.</summary>
    public void ReleaseBelow(long offset)
    {
        while (_count > 0 && _start + SegmentBytes <= offset)
        {
            ReleaseFirst(isShared: false);
        }
    }

    /// <summary>Gives all segments back; the next byte written is at <paramref name="start"/> or behind it.</summary>
    /// <param name="start">The new begin.</param>
    /// <param name="sharedEnd">
    /// Segments that begin in front of this are in somebody's hands: they are left to the garbage collector, for in the pool they would come to
    /// hold another stream's bytes under the eyes of their reader.
    /// </param>
    public void Clear(long start, long sharedEnd = 0)
    {
        while (_count > 0)
        {
            ReleaseFirst(_start < sharedEnd);
        }

        _start = start;
    }

    private readonly int SegmentBytes => 1 << _shift;

    private readonly int Mask => SegmentBytes - 1;

    private readonly int Slot(int index) => (_head + index) & (_slots!.Length - 1);

    private Span<byte> Rent(long offset)
    {
        long at = offset - _start;
        int index = (int)(at >> _shift);
        if (index >= _count)
        {
            EnsureSlots(index + 1);
            _count = index + 1;
        }

        ref byte[]? segment = ref _slots![Slot(index)];
        segment ??= Pool.Rent(SegmentBytes);
        return segment.AsSpan((int)at & Mask, SegmentBytes - ((int)at & Mask));
    }

    private void ReleaseFirst(bool isShared)
    {
        ref byte[]? segment = ref _slots![_head];
        if (segment is not null && !isShared)
        {
            Pool.Return(segment);
        }

        segment = null;
        _head = Slot(1);
        _count--;
        _start += SegmentBytes;
    }

    [MemberNotNull(nameof(_slots))]
    private void EnsureSlots(int count)
    {
        if (_slots?.Length >= count)
        {
            return;
        }

        var grown = new byte[]?[(int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(count, FirstSlots))];
        for (int i = 0; i < _count; i++)
        {
            grown[i] = _slots![Slot(i)];
        }

        _slots = grown;
        _head = 0;
    }
}
