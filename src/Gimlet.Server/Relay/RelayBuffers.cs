using System.Buffers;
using System.Numerics;
using Gimlet.Signalling;

namespace Gimlet.Server.Relay;

/// <summary>
/// The buffers of relayed frames, 2 KiB to 64 KiB in powers of two. One belongs to a single owner at a time: whoever reads the frame, then the receiver's queue,
/// then whoever sends it and gives it back. In front of the shared pool, which keeps 32 arrays of a size for each core, stands a stack per core and size
/// that holds as many as full queues do: a queue that fills and empties would otherwise allocate each time.
/// </summary>
internal static class RelayBuffers
{
    /// <summary>The smallest buffer: a datagram of any usual path and its header.</summary>
    public const int Smallest = 2048;

    // 2, 4, 8, 16, 32 and 64 KiB.
    private const int Sizes = 6;

    /// <summary>What one core keeps of each size; 1 MiB, so two full queues by default, and 6 MiB per core of all sizes.</summary>
    private const int KeptBytes = 1024 * 1024;

    private static readonly Shelf[] Shelves = MakeShelves();

    /// <summary>A buffer of at least this length.</summary>
    public static byte[] Rent(int length)
    {
        int size = SizeOf(length);
        return ShelfOf(size).TryTake() ?? ArrayPool<byte>.Shared.Rent(Smallest << size);
    }

    /// <summary>Gives a buffer back.</summary>
    public static void Return(byte[] buffer)
    {
        if (!ShelfOf(SizeOf(buffer.Length)).TryPut(buffer))
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>A buffer of four times the size with what is in this one, at most as large as a frame can be.</summary>
    public static byte[] Grow(byte[] buffer)
    {
        byte[] larger = Rent(Math.Min(4 * buffer.Length, RelayFrame.MaxLength));
        buffer.CopyTo(larger, 0);
        Return(buffer);
        return larger;
    }

    /// <summary>A buffer that fits, in the place of one that is much larger than its frame: queues are bounded by what they hold in memory.</summary>
    public static byte[] Fit(byte[] buffer, int length)
    {
        if (buffer.Length <= Smallest || buffer.Length / 4 < length)
        {
            return buffer;
        }

        byte[] smaller = Rent(length);
        buffer.AsSpan(0, length).CopyTo(smaller);
        Return(buffer);
        return smaller;
    }

    private static int SizeOf(int length) => BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, Smallest))) - BitOperations.Log2(Smallest);

    private static Shelf ShelfOf(int size) => Shelves[((Thread.GetCurrentProcessorId() % Environment.ProcessorCount) * Sizes) + size];

    private static Shelf[] MakeShelves()
    {
        var shelves = new Shelf[Environment.ProcessorCount * Sizes];
        for (int i = 0; i < shelves.Length; i++)
        {
            shelves[i] = new Shelf(KeptBytes / (Smallest << (i % Sizes)));
        }

        return shelves;
    }

    // The buffers of one size on one core. The lock is taken by another core's thread only where one was moved in between.
    private sealed class Shelf(int most)
    {
        private readonly Lock _gate = new();
        private byte[]?[] _kept = [];
        private int _count;

        public byte[]? TryTake()
        {
            lock (_gate)
            {
                if (_count == 0)
                {
                    return null;
                }

                byte[]? buffer = _kept[--_count];
                _kept[_count] = null;
                return buffer;
            }
        }

        public bool TryPut(byte[] buffer)
        {
            lock (_gate)
            {
                if (_count == most)
                {
                    return false;
                }

                if (_count == _kept.Length)
                {
                    Array.Resize(ref _kept, Math.Clamp(2 * _count, 8, most));
                }

                _kept[_count++] = buffer;
                return true;
            }
        }
    }
}
