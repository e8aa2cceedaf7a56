using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Gimlet.NatLab.Transfers;

/// <summary>What goes into a sending <c>gimlet pipe</c>: bytes that do not repeat, as fast as they are taken, until enough have been.</summary>
internal sealed class SentBytes
{
    private const int BlockLength = 64 * 1024;
    private const int Seed = 4;

    private long _limit = long.MaxValue;
    private long _count;

    /// <summary>Begins to write.</summary>
    internal SentBytes(Stream target) => Ended = WriteAsync(target);

    /// <summary>Completes with the count and the hash when everything was taken and the stream is closed.</summary>
    internal Task<(long Count, byte[] Hash)> Ended { get; }

    /// <summary>Ends when <paramref name="more"/> bytes more have been taken, and at least <paramref name="atLeast"/> in all.</summary>
    internal void EndAfter(long more, long atLeast) => Interlocked.Exchange(ref _limit, Math.Max(Interlocked.Read(ref _count) + more, atLeast));

    private async Task<(long Count, byte[] Hash)> WriteAsync(Stream target)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = new byte[BlockLength];
        // Not a secret: the same bytes in each run, so that a failure can be had again.
#pragma warning disable CA5394 // bytes to be compared, not a secret
        new Random(Seed).NextBytes(block);
#pragma warning restore CA5394
        var sent = 0L;
        while (Math.Min(BlockLength, Interlocked.Read(ref _limit) - sent) is > 0 and var length)
        {
            // The position makes each block another one: bytes at the wrong place change the hash.
            BinaryPrimitives.WriteInt64LittleEndian(block, sent);
            hash.AppendData(block, 0, (int)length);
            await target.WriteAsync(block.AsMemory(0, (int)length), CancellationToken.None);
            sent = Interlocked.Add(ref _count, length);
        }

        target.Close();
        return (sent, hash.GetHashAndReset());
    }
}
