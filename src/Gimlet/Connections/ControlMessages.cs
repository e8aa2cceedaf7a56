using System.Buffers;
using System.Buffers.Binary;

namespace Gimlet.Connections;

/// <summary>The messages of the control stream (docs/protocol.md section 7): type (1), length (2), payload.</summary>
internal static class ControlMessages
{
    public const byte Hello = 0;
    public const byte Ping = 1;
    public const byte Pong = 2;
    public const byte Finding = 3;
    public const byte Decision = 4;

    public const int HeaderLength = 3;

    /// <summary>The longest payload that is read; unknown messages up to this are skipped.</summary>
    public const int MaxPayload = 1024;

    public const int HelloLength = 9;

    /// <summary>A flag of the hello: the sender uses direct paths for this connection.</summary>
    public const byte UsesDirect = 1;

    /// <summary>A flag of the hello: the sender uses the relay for this connection no more once there is a direct path.</summary>
    public const byte NoRelay = 2;

    public const int PingLength = 4;

    public static byte[] WriteHello(ulong instance, bool usesDirect = true, bool usesRelay = true)
    {
        byte[] message = New(Hello, HelloLength);
        BinaryPrimitives.WriteUInt64BigEndian(message.AsSpan(HeaderLength), instance);
        message[HeaderLength + sizeof(ulong)] = (byte)((usesDirect ? UsesDirect : 0) | (usesRelay ? 0 : NoRelay));
        return message;
    }

    public static byte[] WritePing(byte type, uint sequence)
    {
        byte[] message = New(type, PingLength);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(HeaderLength), sequence);
        return message;
    }

    public static byte[] Write(byte type, ReadOnlySpan<byte> payload)
    {
        byte[] message = New(type, payload.Length);
        payload.CopyTo(message.AsSpan(HeaderLength));
        return message;
    }

    /// <summary>Takes one message off a buffer; false when it is not complete yet.</summary>
    /// <param name="buffer">Loses what was read.</param>
    /// <param name="type">Its type.</param>
    /// <param name="payload">Its payload, copied.</param>
    /// <exception cref="InvalidDataException">It is longer than any message is.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, out byte type, out byte[] payload)
    {
        type = 0;
        payload = [];
        if (buffer.Length < HeaderLength)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderLength];
        buffer.Slice(0, HeaderLength).CopyTo(header);
        int length = BinaryPrimitives.ReadUInt16BigEndian(header[1..]);
        if (length > MaxPayload)
        {
            throw new InvalidDataException($"A message of {length} bytes on the control stream; none has more than {MaxPayload}.");
        }

        if (buffer.Length < HeaderLength + length)
        {
            return false;
        }

        type = header[0];
        payload = buffer.Slice(HeaderLength, length).ToArray();
        buffer = buffer.Slice(HeaderLength + length);
        return true;
    }

    private static byte[] New(byte type, int length)
    {
        byte[] message = new byte[HeaderLength + length];
        message[0] = type;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(1), (ushort)length);
        return message;
    }
}
