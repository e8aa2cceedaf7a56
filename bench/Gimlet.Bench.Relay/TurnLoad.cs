using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Gimlet.Bench.Common;
using Gimlet.Sockets;

namespace Gimlet.Bench.Relay;

/// <summary>
/// The same load on a TURN server (RFC 8656): a client with an allocation sends ChannelData to a peer beside it, which counts. A datagram passes the server once, as it does
/// on Gimlet's relay.
/// </summary>
internal static class TurnLoad
{
    // As many as the default receive buffer of a server that asks for no larger one takes (Linux counts 2,304 bytes for each of 1,000).
    private const int UnderWay = 80;
    private const ushort Channel = 0x4000;
    private const uint Cookie = 0x2112A442;

    public static int Run(string[] args)
    {
        IPEndPoint server = IPEndPoint.Parse(args[0]);
        var length = TimeSpan.FromSeconds(int.Parse(args[1], CultureInfo.InvariantCulture));
        int size = int.Parse(args[3], CultureInfo.InvariantCulture);
        var options = new DatagramSocketOptions { LocalEndPoint = new IPEndPoint(server.Address, 0), ReceiveBufferBytes = 4 << 20 };
        using DatagramSocket client = DatagramSocket.Bind(options);
        using DatagramSocket peer = DatagramSocket.Bind(options);
        var turn = new TransportAddress(server.Address, server.Port);
        _ = Ask(client, turn, 0x0003, [0x00, 0x19, 0x00, 0x04, 17, 0, 0, 0]);
        _ = Ask(client, turn, 0x0009, [0x00, 0x0C, 0x00, 0x04, Channel >> 8, Channel & 0xFF, 0, 0, .. XorPeer(peer.LocalAddress)]);
        (long datagrams, long lost, TimeSpan elapsed) = Load(client, peer, turn, size, length);
        Measurement.Print(datagrams, lost, elapsed);
        return 0;
    }

    private static (long Datagrams, long Lost, TimeSpan Elapsed) Load(DatagramSocket client, DatagramSocket peer, TransportAddress turn, int size, TimeSpan length)
    {
        byte[] data = new byte[4 + size];
        RandomNumberGenerator.Fill(data);
        BinaryPrimitives.WriteUInt16BigEndian(data, Channel);
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(2), (ushort)size);
        return new DatagramLoad(client, peer, turn, UnderWay).Run(
            () => data,
            (payload, _) =>
            {
                if (!payload.SequenceEqual(data.AsSpan(4)))
                {
                    throw new InvalidOperationException("What came is not what was sent.");
                }
            },
            length);
    }

    private static byte[] XorPeer(TransportAddress peer)
    {
        byte[] address = peer.ToIPAddress().GetAddressBytes();
        BinaryPrimitives.WriteUInt32BigEndian(address, BinaryPrimitives.ReadUInt32BigEndian(address) ^ Cookie);
        int port = peer.Port ^ (int)(Cookie >> 16);
        return [0x00, 0x12, 0x00, 0x08, 0, 1, (byte)(port >> 8), (byte)port, .. address];
    }

    // Asks until the answer comes: the server takes a moment to start.
    private static byte[] Ask(DatagramSocket socket, TransportAddress server, ushort method, byte[] attributes)
    {
        byte[] request = new byte[20 + attributes.Length];
        BinaryPrimitives.WriteUInt16BigEndian(request, method);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(2), (ushort)attributes.Length);
        BinaryPrimitives.WriteUInt32BigEndian(request.AsSpan(4), Cookie);
        RandomNumberGenerator.Fill(request.AsSpan(8, 12));
        attributes.CopyTo(request, 20);
        var sending = new DatagramSendBatch(1, 1500);
        var receiving = new DatagramReceiveBatch(1, 1500);
        for (int attempt = 0; attempt < 100; attempt++)
        {
            sending.Clear();
            _ = sending.TryAdd(request, server);
            _ = socket.Send(sending);
            long asked = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(asked) < TimeSpan.FromMilliseconds(50))
            {
                try
                {
                    if (socket.Receive(receiving) > 0 && receiving[0].Payload.Slice(8, 12).SequenceEqual(request.AsSpan(8, 12)))
                    {
                        byte[] answer = receiving[0].Payload.ToArray();
                        return BinaryPrimitives.ReadUInt16BigEndian(answer) == (method | 0x0100)
                            ? answer
                            : throw new InvalidOperationException($"The TURN server refuses method {method}: {Convert.ToHexString(answer)}");
                    }
                }
                catch (SocketException)
                {
                    // Refused: it does not listen yet.
                }
            }
        }

        throw new InvalidOperationException("The TURN server does not answer.");
    }
}
