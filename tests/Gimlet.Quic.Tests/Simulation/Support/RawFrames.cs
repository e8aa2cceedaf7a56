using System.Text;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>Frames as bytes, right and wrong ones.</summary>
internal static class RawFrames
{
    private const int MostBytes = 4096;

    private delegate void Writer(ref WireWriter writer);

    public static byte[] Ping => [(byte)FrameType.Ping];

    public static byte[] HandshakeDone => [(byte)FrameType.HandshakeDone];

    /// <summary>A type and integers: nearly all frames are nothing else.</summary>
    public static byte[] Of(FrameType type, params ReadOnlySpan<long> fields)
    {
        byte[] bytes = new byte[8 * (fields.Length + 1)];
        var writer = new WireWriter(bytes);
        writer.WriteInteger((long)type);
        foreach (long field in fields)
        {
            writer.WriteInteger(field);
        }

        return bytes[..writer.Position];
    }

    public static byte[] Padding(int count) => new byte[count];

    public static byte[] Ack(long largest, long firstRange = 0, params ReadOnlySpan<long> gapsAndLengths) =>
        Of(FrameType.Ack, [largest, 0, gapsAndLengths.Length / 2, firstRange, .. gapsAndLengths]);

    public static byte[] Stream(long id, long offset, string data, bool fin = false) => Stream(id, offset, Encoding.UTF8.GetBytes(data), fin);

    public static byte[] Stream(long id, long offset, byte[] data, bool fin = false) =>
        Write((ref WireWriter w) => Assert.True(new StreamFrame(id, offset, data, fin).TryWrite(ref w)));

    public static byte[] Crypto(long offset, byte[] data) =>
        Write((ref WireWriter w) => Assert.True(new CryptoFrame(offset, data).TryWrite(ref w)));

    public static byte[] Datagram(byte[] data) => Write((ref WireWriter w) => Assert.True(new DatagramFrame(data).TryWrite(ref w)));

    public static byte[] PathChallenge(ulong data) => Write((ref WireWriter w) => Assert.True(new PathChallengeFrame(data).TryWrite(ref w)));

    public static byte[] PathResponse(ulong data) => Write((ref WireWriter w) => Assert.True(new PathResponseFrame(data).TryWrite(ref w)));

    public static byte[] NewToken(byte[] token) => [.. Of(FrameType.NewToken, token.Length), .. token];

    /// <summary>NEW_CONNECTION_ID with whatever in it.</summary>
    public static byte[] NewConnectionId(long sequence, long retirePriorTo, byte[] id, byte token = 0) =>
    [
        .. Of(FrameType.NewConnectionId, sequence, retirePriorTo), (byte)id.Length, .. id, .. Enumerable.Repeat(token, StatelessResetToken.Length),
    ];

    private static byte[] Write(Writer write)
    {
        byte[] bytes = new byte[MostBytes];
        var writer = new WireWriter(bytes);
        write(ref writer);
        return bytes[..writer.Position];
    }
}
