using Gimlet.Quic;

namespace Gimlet.Server.Tests.Support;

/// <summary>Streams full of numbers that tell what was lost, repeated or exchanged.</summary>
internal static class Bytes
{
    /// <summary>What stands at a place: it differs from that of every shift by less than a megabyte.</summary>
    public static byte At(long place) => (byte)((place * 31) ^ (place >> 8) ^ (place >> 16));

    public static byte[] From(long place, int count)
    {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            bytes[i] = At(place + i);
        }

        return bytes;
    }

    /// <summary>Writes until a condition holds and at least this much has been written, then ends the stream.</summary>
    /// <returns>How much it was.</returns>
    public static async Task<long> WriteAsync(QuicStream stream, long atLeast, Func<bool>? until = null)
    {
        const int Chunk = 16 * 1024;
        long written = 0;
        while (written < atLeast || until?.Invoke() == false)
        {
            await stream.WriteAsync(From(written, Chunk), TestContext.Current.CancellationToken).Within();
            written += Chunk;
        }

        await EndAsync(stream);
        return written;
    }

    /// <summary>Ends this side's half.</summary>
    public static Task EndAsync(QuicStream stream) => stream.Output.CompleteAsync().Within();

    /// <summary>Reads to the end and looks at every byte.</summary>
    /// <returns>How much it was.</returns>
    public static async Task<long> ReadAsync(QuicStream stream, Action<long>? progress = null)
    {
        byte[] buffer = new byte[32 * 1024];
        long read = 0;
        while (true)
        {
            int count = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken).Within();
            if (count == 0)
            {
                return read;
            }

            for (int i = 0; i < count; i++)
            {
                if (buffer[i] != At(read + i))
                {
                    Assert.Fail($"byte {read + i} is {buffer[i]} and not {At(read + i)}");
                }
            }

            read += count;
            progress?.Invoke(read);
        }
    }
}
