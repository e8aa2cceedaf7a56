using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Gimlet.Quic.Interop.Peers;

/// <summary>The bytes of <c>gimlet-interop</c> that both sides can make without sending them (tests/peers/README.md).</summary>
internal static class InteropPattern
{
    // 2^32 divided by the golden ratio, as in Knuth's multiplicative hash: neighbouring words have nothing in common.
    private const uint Multiplier = 2654435761;

    private const int ChunkLength = 64 * 1024;

    /// <summary>Fills a buffer with the bytes from an offset on.</summary>
    public static void Fill(Span<byte> buffer, ulong offset)
    {
        while (buffer.Length > 0 && offset % 4 != 0)
        {
            buffer[0] = At(offset++);
            buffer = buffer[1..];
        }

        uint word = (uint)(offset / 4);
        while (buffer.Length >= 4)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(buffer, Word(word++));
            buffer = buffer[4..];
            offset += 4;
        }

        for (int i = 0; i < buffer.Length; i++)
        {
            buffer[i] = At(offset + (ulong)i);
        }
    }

    public static byte At(ulong offset) => (byte)(Word((uint)(offset / 4)) >> (8 * (int)(offset % 4)));

    /// <summary>The digest of the first so many bytes, in lower case: what PUT answers and a result's <c>sha256</c> says.</summary>
    public static string Sha256(long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[ChunkLength];
        for (long offset = 0; offset < length; offset += ChunkLength)
        {
            Span<byte> part = chunk.AsSpan(0, (int)Math.Min(ChunkLength, length - offset));
            Fill(part, (ulong)offset);
            hash.AppendData(part);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static uint Word(uint number)
    {
        uint x = unchecked(number * Multiplier);
        return x ^ (x >> 15);
    }
}
