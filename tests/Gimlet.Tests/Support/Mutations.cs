namespace Gimlet.Tests.Support;

/// <summary>Bad bytes made from good ones. Each is handed out in an array of exactly its length, so reading one byte too far throws.</summary>
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

    /// <summary>Ten thousand variants; with <paramref name="stun"/>, half of them get a length field that fits, or little behind the header's check would be reached.</summary>
    public static IEnumerable<byte[]> Random(byte[] valid, int seed, bool stun = false, int count = Count)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            byte[] bytes = [.. valid];
            int edits = random.Next(1, 5);
            for (int edit = 0; edit < edits && bytes.Length > 0; edit++)
            {
                bytes = Edit(bytes, random);
            }

            if (stun && bytes.Length >= 20 && random.Next(2) == 0)
            {
                int length = bytes.Length - 20;
                bytes[2] = (byte)(length >> 8);
                bytes[3] = (byte)length;
            }

            if (!bytes.AsSpan().SequenceEqual(valid))
            {
                yield return bytes;
            }
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
                int count = Math.Min(bytes.Length - at, random.Next(1, 32));
                return [.. bytes[..(at + count)], .. bytes[at..(at + count)], .. bytes[(at + count)..]];
            default:
                return [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]];
        }
    }
}
