namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>Bytes that follow from a key and an offset, so that what arrives is checked without keeping what was sent.</summary>
internal static class Pattern
{
    public static void Fill(Span<byte> destination, long key, long offset)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = At(key, offset + i);
        }
    }

    /// <summary>Where bytes differ from what they should be, or -1.</summary>
    public static int FindDifference(ReadOnlySpan<byte> bytes, long key, long offset)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] != At(key, offset + i))
            {
                return i;
            }
        }

        return -1;
    }

    // A multiplicative hash: neighbours, and the same offset of another key, look unlike each other.
    private static byte At(long key, long offset) => (byte)((((ulong)offset + ((ulong)key << 40)) * 0x9e37_79b9_7f4a_7c15) >> 56);
}
