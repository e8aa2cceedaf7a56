using System.Buffers;
using Gimlet.Signalling;

namespace Gimlet.Server.Relay;

/// <summary>
/// The buffers of relayed frames. One belongs to a single owner at a time: whoever reads the frame, then the receiver's queue, then whoever sends
/// it and gives it back.
/// </summary>
internal static class RelayBuffers
{
    /// <summary>The smallest buffer: a datagram of any usual path and its header.</summary>
    public const int Smallest = 2048;

    public static byte[] Rent(int length) => ArrayPool<byte>.Shared.Rent(Math.Max(length, Smallest));

    public static void Return(byte[] buffer) => ArrayPool<byte>.Shared.Return(buffer);

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
}
