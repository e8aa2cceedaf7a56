using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Gimlet.Bench.Common;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;

namespace Gimlet.Bench.Stun;

/// <summary>The load: keeps a fixed number of Binding requests under way from one socket and counts the answers.</summary>
internal static class LoadRole
{
    // Enough that the server always has something waiting, and few enough (192 x about 800 bytes as Linux counts) for the
    // default receive buffer of a server that asks for no larger one.
    private const int UnderWay = 192;

    public static int Run(string[] args)
    {
        var server = new TransportAddress(IPAddress.Parse(args[0]), int.Parse(args[1], CultureInfo.InvariantCulture));
        var length = TimeSpan.FromSeconds(int.Parse(args[2], CultureInfo.InvariantCulture));
        using DatagramSocket socket = DatagramSocket.Bind(new DatagramSocketOptions
        {
            LocalEndPoint = new IPEndPoint(server.ToIPAddress(), 0),
            ReceiveBufferBytes = 4 << 20,
        });
        byte[] request = Request();
        uint serial = 0;
        (long answers, long lost, TimeSpan elapsed) = new DatagramLoad(socket, socket, server, UnderWay).Run(
            () =>
            {
                BinaryPrimitives.WriteUInt32BigEndian(request.AsSpan(8), ++serial);
                return request;
            },
            (answer, received) => Check(answer, socket.LocalAddress, thorough: received == 0),
            length);
        Measurement.Print(answers, lost, elapsed);
        return 0;
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
