using System.Buffers.Binary;
using System.Net;

namespace Gimlet.NatLab.Probes;

/// <summary>One answer as the asker got it.</summary>
/// <param name="From">Which of the probe server's endpoints sent it.</param>
/// <param name="Observed">The asker's address as that server saw it.</param>
internal sealed record ProbeAnswer(int From, IPEndPoint Observed);

/// <summary>The probe's two datagrams. Question: nonce (8), endpoints to answer from (1 byte each). Answer: nonce (8), endpoint (1), port (2), IPv4 address (4).</summary>
internal static class ProbeMessage
{
    internal const int MaxBytes = 64;
    private const int NonceBytes = 8;
    private const int AnswerBytes = NonceBytes + 1 + 2 + 4;

    internal static byte[] Question(ulong nonce, params ReadOnlySpan<int> answerFrom)
    {
        var message = new byte[NonceBytes + answerFrom.Length];
        BinaryPrimitives.WriteUInt64BigEndian(message, nonce);
        for (var index = 0; index < answerFrom.Length; index++)
        {
            message[NonceBytes + index] = (byte)answerFrom[index];
        }

        return message;
    }

    internal static bool TryReadQuestion(ReadOnlySpan<byte> message, out ulong nonce, out int[] answerFrom)
    {
        nonce = 0;
        answerFrom = [];
        if (message.Length <= NonceBytes || message[NonceBytes..].ContainsAnyExceptInRange((byte)0, (byte)3))
        {
            return false;
        }

        nonce = BinaryPrimitives.ReadUInt64BigEndian(message);
        answerFrom = Array.ConvertAll(message[NonceBytes..].ToArray(), index => (int)index);
        return true;
    }

    internal static byte[] Answer(ulong nonce, int from, IPEndPoint observed)
    {
        var message = new byte[AnswerBytes];
        BinaryPrimitives.WriteUInt64BigEndian(message, nonce);
        message[NonceBytes] = (byte)from;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(NonceBytes + 1), (ushort)observed.Port);
        _ = observed.Address.TryWriteBytes(message.AsSpan(NonceBytes + 3), out _);
        return message;
    }

    internal static bool TryReadAnswer(ReadOnlySpan<byte> message, ulong nonce, out ProbeAnswer answer)
    {
        answer = new ProbeAnswer(-1, new IPEndPoint(IPAddress.Any, 0));
        if (message.Length != AnswerBytes || BinaryPrimitives.ReadUInt64BigEndian(message) != nonce)
        {
            return false;
        }

        var port = BinaryPrimitives.ReadUInt16BigEndian(message[(NonceBytes + 1)..]);
        answer = new ProbeAnswer(message[NonceBytes], new IPEndPoint(new IPAddress(message[(NonceBytes + 3)..]), port));
        return true;
    }
}
