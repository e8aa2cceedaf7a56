using System.Buffers.Binary;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tests.Tls.Support;

/// <summary>One handshake message on its way.</summary>
/// <param name="FromClient">Who sent it.</param>
/// <param name="Level">At which level.</param>
/// <param name="Index">How many that side sent before.</param>
/// <param name="Bytes">With the header.</param>
internal sealed record WireMessage(bool FromClient, EncryptionLevel Level, int Index, byte[] Bytes)
{
    public HandshakeType Type => (HandshakeType)Bytes[0];

    public bool IsRetryRequest =>
        Type == HandshakeType.ServerHello && Bytes.AsSpan(6, ClientHello.RandomLength).SequenceEqual(ServerHello.RetryRandom);

    /// <summary>The same message with another body and a header that fits it.</summary>
    public byte[] WithBody(ReadOnlySpan<byte> body) => Frame(Type, body);

    public static byte[] Frame(HandshakeType type, ReadOnlySpan<byte> body)
    {
        byte[] message = new byte[HandshakeBuffer.HeaderLength + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, body.Length);
        message[0] = (byte)type;
        body.CopyTo(message.AsSpan(HandshakeBuffer.HeaderLength));
        return message;
    }

    /// <summary>Cuts a flight into its messages.</summary>
    public static IEnumerable<byte[]> Split(ReadOnlyMemory<byte> flight)
    {
        while (!flight.IsEmpty)
        {
            int length = HandshakeBuffer.HeaderLength + (BinaryPrimitives.ReadInt32BigEndian(flight.Span) & 0xff_ffff);
            yield return flight[..length].ToArray();
            flight = flight[length..];
        }
    }
}
