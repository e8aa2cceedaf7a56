namespace Gimlet.Quic.Tests.Wire.Support;

/// <summary>
/// Bad bytes made from good ones. Each one is handed out in an array of exactly its length, so reading one byte too far throws.
/// </summary>
internal static class Mutations
{
    public const int Count = 10_000;

    public static IEnumerable<byte[]> Truncations(byte[] valid)
    {
        for (int length = 0; length < valid.Length; length++)
        {
            yield return valid[..length];
        }
    }

    /// <summary>Ten thousand variants, taken in turn from the given samples.</summary>
    public static IEnumerable<byte[]> Random(IReadOnlyList<byte[]> valid, int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < Count; i++)
        {
            byte[] bytes = [.. valid[i % valid.Count]];
            int edits = random.Next(1, 4);
            for (int edit = 0; edit < edits && bytes.Length > 0; edit++)
            {
                bytes = Edit(bytes, random);
            }

            yield return bytes;
        }
    }

    private static byte[] Edit(byte[] bytes, Random random)
    {
        int at = random.Next(bytes.Length);
        switch (random.Next(6))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                // The longest integer that can be: the value of every length, offset and count at its worst.
                return [.. bytes[..at], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, .. bytes[Math.Min(at + 1, bytes.Length)..]];
            case 3:
                return bytes[..at];
            case 4:
                int count = Math.Min(bytes.Length - at, random.Next(1, 16));
                return [.. bytes[..(at + count)], .. bytes[at..(at + count)], .. bytes[(at + count)..]];
            default:
                return [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]];
        }
    }
}
