namespace Gimlet.TestSupport;

/// <summary>
/// Bad bytes made from good ones. Each is handed out in an array of exactly its length, so reading one byte too far throws. Linked into every project that reads what
/// comes from a network.
/// </summary>
internal static class Mutations
{
    public const int Count = 10_000;

    private const int StunHeaderLength = 20;

    public static IEnumerable<byte[]> Truncations(byte[] valid)
    {
        for (int length = 0; length < valid.Length; length++)
        {
            yield return valid[..length];
        }
    }

    /// <summary>Variants of one sample.</summary>
    public static IEnumerable<byte[]> Random(byte[] valid, int seed, bool stun = false, int count = Count) => Random([valid], seed, stun, count);

    /// <summary>
    /// Variants, taken in turn from the given samples; those that came out as they were are left out. With <paramref name="stun"/>, half of them get a length field that
    /// fits, or little behind the header's check would be reached.
    /// </summary>
    public static IEnumerable<byte[]> Random(IReadOnlyList<byte[]> valid, int seed, bool stun = false, int count = Count)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            byte[] sample = valid[i % valid.Count];
            byte[] bytes = [.. sample];
            int edits = random.Next(1, 5);
            for (int edit = 0; edit < edits && bytes.Length > 0; edit++)
            {
                bytes = Edit(bytes, random);
            }

            if (stun && bytes.Length >= StunHeaderLength && random.Next(2) == 0)
            {
                int length = bytes.Length - StunHeaderLength;
                bytes[2] = (byte)(length >> 8);
                bytes[3] = (byte)length;
            }

            if (!bytes.AsSpan().SequenceEqual(sample))
            {
                yield return bytes;
            }
        }
    }

    private static byte[] Edit(byte[] bytes, Random random)
    {
        int at = random.Next(bytes.Length);
        switch (random.Next(8))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                bytes[at] = random.Next(2) == 0 ? (byte)0 : (byte)0xFF;
                return bytes;
            case 3:
                // The longest integer of QUIC that can be: the value of every length, offset and count at its worst.
                return [.. bytes[..at], 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, .. bytes[(at + 1)..]];
            case 4:
                return bytes[..at];
            case 5:
                return Twice(bytes, at, random.Next(1, 32));
            case 6:
                // Whole words: attributes of STUN that are there twice, or behind the fingerprint.
                return Twice(bytes, at & ~3, 4 * random.Next(1, 8));
            default:
                return [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]];
        }
    }

    private static byte[] Twice(byte[] bytes, int from, int count)
    {
        int to = Math.Min(bytes.Length, from + count);
        return [.. bytes[..to], .. bytes[from..to], .. bytes[to..]];
    }
}
