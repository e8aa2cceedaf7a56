namespace Gimlet.Stun.Tests.Support;

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

    public static IEnumerable<byte[]> Random(byte[] valid, int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < Count; i++)
        {
            byte[] bytes = [.. valid];
            int edits = random.Next(1, 5);
            for (int edit = 0; edit < edits && bytes.Length > 0; edit++)
            {
                bytes = Edit(bytes, random);
            }

            // Half of them get a length that fits, or nothing behind the header's check would ever be reached.
            if (bytes.Length >= 20 && random.Next(2) == 0)
            {
                int length = bytes.Length - 20;
                bytes[2] = (byte)(length >> 8);
                bytes[3] = (byte)length;
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
                bytes[at] = random.Next(2) == 0 ? (byte)0 : (byte)0xFF;
                return bytes;
            case 3:
                return bytes[..at];
            case 4:
                // A run of whole words appears twice: duplicate attributes, attributes after the fingerprint.
                int from = at & ~3;
                int count = Math.Min(bytes.Length - from, 4 * random.Next(1, 8));
                return [.. bytes[..(from + count)], .. bytes[from..(from + count)], .. bytes[(from + count)..]];
            default:
                return [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]];
        }
    }
}
