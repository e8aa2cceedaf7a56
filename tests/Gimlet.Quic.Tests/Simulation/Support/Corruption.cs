namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>What a broken link makes of a datagram.</summary>
internal static class Corruption
{
    /// <summary>A few bits flipped, the end cut off, or the beginning overwritten; never the same as before.</summary>
    public static byte[] Of(byte[] datagram, Random random)
    {
        byte[] bytes = [.. datagram];
        switch (random.Next(4))
        {
            case 0:
                return bytes[..random.Next(1, bytes.Length)];
            case 1:
                bytes[0] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 2:
                // Headers: versions, lengths, connection ids.
                bytes[random.Next(Math.Min(bytes.Length, 60))] ^= (byte)random.Next(1, 256);
                return bytes;
            default:
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                return bytes;
        }
    }
}
