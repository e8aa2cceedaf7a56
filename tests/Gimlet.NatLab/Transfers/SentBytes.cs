using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Gimlet.NatLab.Transfers;

/// <summary>What goes into a sending <c>gimlet pipe</c>: bytes that do not repeat, as fast as they are taken.</summary>
internal static class SentBytes
{
    private const int BlockLength = 64 * 1024;
    private const int Seed = 4;

    /// <summary>Writes <paramref name="count"/> bytes and closes the stream.</summary>
    /// <returns>Their hash.</returns>
    internal static async Task<byte[]> WriteAsync(Stream target, long count)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = new byte[BlockLength];
        // Not a secret: the same bytes in each run, so that a failure can be had again.
#pragma warning disable CA5394
        new Random(Seed).NextBytes(block);
#pragma warning restore CA5394
        for (long sent = 0; sent < count; sent += BlockLength)
        {
            // The position makes each block another one: bytes at the wrong place change the hash.
            BinaryPrimitives.WriteInt64LittleEndian(block, sent);
            var length = (int)Math.Min(BlockLength, count - sent);
            hash.AppendData(block, 0, length);
            await target.WriteAsync(block.AsMemory(0, length), CancellationToken.None);
        }

        target.Close();
        return hash.GetHashAndReset();
    }
}
