using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;

namespace Gimlet.Bench.Stun;

/// <summary>
/// The load: keeps a fixed number of Binding requests under way from one socket and counts the answers. It sends and
/// receives in batches, so that it costs less per request than any server that answers one by one.
/// </summary>
internal static class LoadRole
{
    // Enough that the server always has something waiting, and few enough (192 x about 800 bytes as Linux counts) for the
    // default receive buffer of a server that asks for no larger one.
    private const int UnderWay = 192;
    private const int Batch = 64;

    // Lost datagrams would stop a closed loop; after this silence they are written off and counted.
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(200);

    public static int Run(string[] args)
    {
        var server = new TransportAddress(IPAddress.Parse(args[0]), int.Parse(args[1], CultureInfo.InvariantCulture));
        var length = TimeSpan.FromSeconds(int.Parse(args[2], CultureInfo.InvariantCulture));
        using DatagramSocket socket = DatagramSocket.Bind(new DatagramSocketOptions
        {
            LocalEndPoint = new IPEndPoint(server.ToIPAddress(), 0),
            ReceiveBufferBytes = 4 << 20,
        });
        (long answers, long lost, TimeSpan elapsed) = Load(socket, server, length);
        Console.WriteLine($"{answers} {lost} {elapsed.TotalSeconds:R}");
        return 0;
    }

    private static (long Answers, long Lost, TimeSpan Elapsed) Load(DatagramSocket socket, TransportAddress server, TimeSpan length)
    {
        var requests = new DatagramSendBatch(Batch, 64);
        var answers = new DatagramReceiveBatch(Batch, 512);
        byte[] request = Request();
        long answered = 0;
        long lost = 0;
        long outstanding = 0;
        uint serial = 0;
        long lastAnswer = Stopwatch.GetTimestamp();
        long start = lastAnswer;
        while (true)
        {
            long now = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(start, now) >= length)
            {
                return (answered, lost, Stopwatch.GetElapsedTime(start, now));
            }

            requests.Clear();
            while (!requests.IsFull && outstanding + requests.Count < UnderWay)
            {
                BinaryPrimitives.WriteUInt32BigEndian(request.AsSpan(8), ++serial);
                requests.TryAdd(request, server);
            }

            if (requests.Count > 0)
            {
                outstanding += socket.Send(requests);
            }

            // With room for a whole batch again it is worth sending before looking for answers.
            int count = socket.Receive(answers);
            for (int i = 0; i < count; i++)
            {
                Check(answers[i].Payload, socket.LocalAddress, thorough: answered == 0);
            }

            if (count > 0)
            {
                answered += count;
                outstanding = Math.Max(0, outstanding - count);
                lastAnswer = now;
            }
            else if (Stopwatch.GetElapsedTime(lastAnswer, now) > Silence)
            {
                lost += outstanding;
                outstanding = 0;
                lastAnswer = now;
            }
        }
    }

    private static byte[] Request()
    {
        var builder = new StunMessageBuilder(
            new byte[64], StunClass.Request, StunMethod.Binding, StunTransactionId.Create(RandomNumberGenerator.Fill));
        return builder.Written.ToArray();
    }

    private static void Check(ReadOnlySpan<byte> answer, TransportAddress own, bool thorough)
    {
        bool right = answer.Length >= 32 && answer[0] == 1 && answer[1] == 1;
        if (right && thorough)
        {
            right = StunMessage.TryParse(answer, out StunMessage message)
                && message.TryGetXorMappedAddress(out TransportAddress mapped) && mapped == own;
        }

        if (!right)
        {
            throw new InvalidOperationException($"Not an answer: {Convert.ToHexString(answer)}");
        }
    }
}
