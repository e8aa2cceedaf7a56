using System.Diagnostics;
using System.Runtime.InteropServices;
using Gimlet.Quic.Frames;

namespace Gimlet.Quic.Recovery;

/// <summary>
/// Which packet numbers arrived, as ranges, smallest first. Each range knows how often it was reported since it last changed, so that a packet that
/// comes late, from a slow path, is reported although 64 ranges are above it.
/// </summary>
internal sealed class ReceivedRanges
{
    /// <summary>
    /// The most ranges that are remembered; beyond, the smallest is forgotten, and what is missing below counts as received. A peer that sends every
    /// other number makes one range per packet (quic-go's bound is 32 for the same reason); more than are sent in one ACK, for two paths of unlike
    /// delay interleave their numbers.
    /// </summary>
    public const int MaxRanges = 256;

    // A changed range is in so many ACKs before it waits for room: one of three arrives, at a loss of 10 % with 99.9 %.
    private const byte Reports = 3;

    // Changed ranges do not fill a frame alone: at least so many are the largest ones.
    private const int LargestReported = 16;

    private Range[] _ranges = new Range[4];
    private int _start;
    private int _count;
    private long _floor;

    /// <summary>How many ranges there are.</summary>
    public int Count => _count;

    /// <summary>Whether the number is not among them, and not too small to know.</summary>
    public bool IsNew(long packetNumber)
    {
        if (_count == 0 || packetNumber > this[_count - 1].Largest)
        {
            return packetNumber >= _floor;
        }

        if (packetNumber < _floor)
        {
            return false;
        }

        int index = IndexOf(packetNumber);
        return index == _count || packetNumber < this[index].Smallest;
    }

    /// <summary>Adds a number that <see cref="IsNew"/>.</summary>
    public void Add(long packetNumber)
    {
        if (_count > 0)
        {
            ref Range last = ref this[_count - 1];
            if (packetNumber == last.Largest + 1)
            {
                last.Largest = packetNumber;
                last.MarkChanged();
                return;
            }

            if (packetNumber < last.Largest)
            {
                AddBetween(packetNumber);
                return;
            }
        }

        Insert(_count, packetNumber);
    }

    /// <summary>
    /// Chooses what an ACK reports, largest first: all that fit; where there are more, those that changed and were not reported often, and the largest
    /// of the others.
    /// </summary>
    /// <param name="chosen">Room for <see cref="AckFrameWriter.MaxRanges"/>.</param>
    /// <returns>How many were chosen.</returns>
    public int Choose(Span<AckRange> chosen)
    {
        int settled = chosen.Length - CountChanged(chosen.Length - LargestReported);
        int changed = chosen.Length - settled;
        int count = 0;
        for (int i = _count - 1; i >= 0 && count < chosen.Length; i--)
        {
            ref Range range = ref this[i];
            if (i == _count - 1 && range.IsSettled)
            {
                // A frame has one range at least.
                chosen[count++] = range.ToAckRange();
                settled--;
            }
            else if (range.ReportsLeft > 0 && changed > 0)
            {
                changed--;
                chosen[count++] = range.ToAckRange();
            }
            else if (!range.IsSettled && settled > 0)
            {
                settled--;
                chosen[count++] = range.ToAckRange();
            }
        }

        return count;
    }

    /// <summary>These were reported: the first of what <see cref="Choose"/> gave.</summary>
    public void OnReported(ReadOnlySpan<AckRange> reported)
    {
        int index = _count - 1;
        foreach (ref readonly AckRange range in reported)
        {
            while (this[index].Largest != range.Largest)
            {
                index--;
            }

            ref Range mine = ref this[index];
            mine.ReportsLeft -= mine.ReportsLeft > 0 ? (byte)1 : (byte)0;
        }
    }

    /// <summary>
    /// An ACK up to this number arrived. Ranges up to it that were in several ACKs are not reported again; they are still remembered, against
    /// duplicates.
    /// </summary>
    public void Settle(long largest)
    {
        for (int i = 0; i < _count && this[i].Smallest <= largest; i++)
        {
            ref Range range = ref this[i];
            if (range.Largest <= largest && range.ReportsLeft == 0)
            {
                range.IsSettled = true;
            }
        }
    }

    private ref Range this[int index] => ref _ranges[_start + index];

    private int CountChanged(int most)
    {
        int count = 0;
        for (int i = _count - 1; i >= 0 && count < most; i--)
        {
            count += this[i].ReportsLeft > 0 ? 1 : 0;
        }

        return count;
    }

    // The first range that ends at the number or above it.
    private int IndexOf(long packetNumber)
    {
        int low = 0;
        int high = _count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (this[middle].Largest < packetNumber)
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

    private void AddBetween(long packetNumber)
    {
        int index = IndexOf(packetNumber);
        Debug.Assert(packetNumber < this[index].Smallest, "The number is new.");
        bool joinsAbove = this[index].Smallest == packetNumber + 1;
        bool joinsBelow = index > 0 && this[index - 1].Largest == packetNumber - 1;
        if (joinsAbove && joinsBelow)
        {
            this[index - 1].Largest = this[index].Largest;
            this[index - 1].MarkChanged();
            RemoveAt(index);
        }
        else if (joinsAbove)
        {
            this[index].Smallest = packetNumber;
            this[index].MarkChanged();
        }
        else if (joinsBelow)
        {
            this[index - 1].Largest = packetNumber;
            this[index - 1].MarkChanged();
        }
        else
        {
            Insert(index, packetNumber);
        }
    }

    private void Insert(int index, long packetNumber)
    {
        if (_count == MaxRanges)
        {
            if (index == 0)
            {
                // Smaller than all that is remembered: forgotten at once.
                _floor = packetNumber + 1;
                return;
            }

            _floor = this[0].Largest + 1;
            _start++;
            _count--;
            index--;
        }

        if (_start + _count == _ranges.Length)
        {
            MakeRoom();
        }

        Span<Range> tail = _ranges.AsSpan(_start + index, _count - index + 1);
        tail[..^1].CopyTo(tail[1..]);
        _count++;
        tail[0] = new Range { Smallest = packetNumber, Largest = packetNumber };
        tail[0].MarkChanged();
    }

    private void RemoveAt(int index)
    {
        Span<Range> tail = _ranges.AsSpan(_start + index, _count - index);
        tail[1..].CopyTo(tail);
        _count--;
    }

    // Twice as much as is remembered: so that forgetting the first and appending moves everything only every so often.
    private void MakeRoom()
    {
        Range[] target = _count * 2 > _ranges.Length ? new Range[_ranges.Length * 2] : _ranges;
        _ranges.AsSpan(_start, _count).CopyTo(target);
        _ranges = target;
        _start = 0;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Range
    {
        public long Smallest;
        public long Largest;

        /// <summary>In how many more ACKs it should be for sure.</summary>
        public byte ReportsLeft;

        /// <summary>The peer knows it.</summary>
        public bool IsSettled;

        public void MarkChanged()
        {
            ReportsLeft = Reports;
            IsSettled = false;
        }

        public readonly AckRange ToAckRange() => new(Smallest, Largest);
    }
}
