using Gimlet.Quic.Streams;

namespace Gimlet.Quic.Tests.Streams.Support;

/// <summary>
/// The plain byte sequence of a stream: each byte follows from the stream and its place, so a wrong one is seen wherever it shows up.
/// </summary>
internal static class Pattern
{
    public static byte At(long key, long offset)
    {
        ulong mixed = (((ulong)key + 1) * 0x9e37_79b9_7f4a_7c15) ^ (((ulong)offset + 1) * 0xc2b2_ae3d_27d4_eb4f);
        return (byte)((mixed ^ (mixed >> 29)) >> 17);
    }

    public static byte[] Bytes(long key, long offset, int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = At(key, offset + i);
        }

        return bytes;
    }

    public static void AssertAt(long key, long offset, ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] != At(key, offset + i))
            {
                Assert.Fail($"byte {offset + i} of {key} is wrong");
            }
        }
    }

    /// <summary>All that can be read now, as text.</summary>
    public static string ReadText(this QuicStreamState stream)
    {
        byte[] bytes = new byte[stream.Available];
        Assert.Equal(bytes.Length, stream.Read(bytes));
        return System.Text.Encoding.UTF8.GetString(bytes);
    }
}
