using System.Buffers.Binary;
using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Gimlet.Bench.Relay;

/// <summary>
/// A node made of a TCP socket and docs/protocol.md, with as little between the socket and the bytes as possible: the load must cost less than the server.
/// </summary>
internal sealed class RawNode : IDisposable
{
    /// <summary>The largest binary frame (docs/protocol.md section 6).</summary>
    public const int MaxFrame = 65_536;

    public const int SingleHeaderLength = 1 + PeerIdLength;
    public const int BatchHeaderLength = SingleHeaderLength + sizeof(ushort);

    private const int PeerIdLength = 32;
    private const byte TextOpcode = 0x81;
    private const byte BinaryOpcode = 0x82;
    private static readonly byte[] Mask = [0x5A, 0xC3, 0x3C, 0xA5];

    private readonly byte[] _id;

    private RawNode(Socket socket, byte[] id)
    {
        Socket = socket;
        _id = id;
    }

    public Socket Socket { get; }

    /// <summary>The length of a frame with this many datagrams.</summary>
    public static int FrameLength(int datagrams, int size) => (datagrams == 1 ? SingleHeaderLength : BatchHeaderLength) + (datagrams * size);

    /// <summary>Connects and registers.</summary>
    public static RawNode Register(IPEndPoint server)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(server);
        socket.Send(Encoding.ASCII.GetBytes(
            $"GET /v1/node HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: Z2ltbGV0IGdpbWxldCBnaQ==\r\nSec-WebSocket-Protocol: gimlet.v1\r\n\r\n"));
        while (!ReadLine(socket).AsSpan().IsEmpty)
        {
            // The headers of the answer: that it is 101 shows by the challenge that follows.
        }

        JsonNode challenge = ReadText(socket, "challenge");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] publicKey = key.ExportSubjectPublicKeyInfo();
        byte[] statement =
        [
            .. Encoding.ASCII.GetBytes($"gimlet.v1 register\0{server}\0"), .. Base64Url.DecodeFromChars((string)challenge["nonce"]!), .. publicKey,
        ];
        var register = new JsonObject
        {
            ["type"] = "register",
            ["public_key"] = Base64Url.EncodeToString(publicKey),
            ["signature"] = Base64Url.EncodeToString(key.SignData(statement, HashAlgorithmName.SHA256)),
            ["capabilities"] = new JsonArray("relay"),
            ["agent"] = "bench",
        };
        socket.Send(Masked(TextOpcode, Encoding.UTF8.GetBytes(register.ToJsonString())));
        _ = ReadText(socket, "registered");
        return new RawNode(socket, SHA256.HashData(publicKey));
    }

    /// <summary>Lets both send to each other: who sends admits the answer. The first datagram has nobody who admits it yet.</summary>
    public static void Meet(RawNode a, RawNode b)
    {
        a.Socket.Send(a.Frame(b, 1, 20));
        _ = ReadText(a.Socket, "unreachable");
        b.Socket.Send(b.Frame(a, 1, 20));
        _ = ReadFrame(a.Socket, out _);
        a.Socket.Send(a.Frame(b, 1, 20));
        _ = ReadFrame(b.Socket, out _);
    }

    /// <summary>A whole WebSocket frame with datagrams for another node.</summary>
    public byte[] Frame(RawNode to, int datagrams, int size)
    {
        byte[] frame = new byte[FrameLength(datagrams, size)];
        frame[0] = datagrams == 1 ? (byte)0 : (byte)1;
        to._id.CopyTo(frame, 1);
        if (datagrams > 1)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1 + PeerIdLength), (ushort)size);
        }

        RandomNumberGenerator.Fill(frame.AsSpan(^(datagrams * size)..));
        return Masked(BinaryOpcode, frame);
    }

    /// <summary>Whether a frame that came begins with this node and the first datagram of what it sent.</summary>
    public bool IsSender(ReadOnlySpan<byte> received, int header, ReadOnlySpan<byte> masked, int datagrams, int size)
    {
        byte[] sent = masked[^(FrameLength(datagrams, size))..].ToArray();
        Apply(sent);
        return received.Slice(1, PeerIdLength).SequenceEqual(_id)
            && received.Slice(header, size).SequenceEqual(sent.AsSpan(datagrams == 1 ? SingleHeaderLength : BatchHeaderLength, size));
    }

    /// <summary>The length of a frame's header (RFC 6455 section 5.2), without a mask.</summary>
    public static int HeaderLength(int payload) => payload < 126 ? 2 : payload <= ushort.MaxValue ? 4 : 10;

    public void Dispose() => Socket.Dispose();

    private static byte[] Masked(byte opcode, byte[] payload)
    {
        int header = HeaderLength(payload.Length);
        byte[] frame = new byte[header + Mask.Length + payload.Length];
        frame[0] = opcode;
        switch (header)
        {
            case 2:
                frame[1] = (byte)(0x80 | payload.Length);
                break;
            case 4:
                frame[1] = 0x80 | 126;
                BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
                break;
            default:
                frame[1] = 0x80 | 127;
                BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), (ulong)payload.Length);
                break;
        }

        Mask.CopyTo(frame, header);
        payload.CopyTo(frame, header + Mask.Length);
        Apply(frame.AsSpan(header + Mask.Length));
        return frame;
    }

    private static void Apply(Span<byte> payload)
    {
        for (int i = 0; i < payload.Length; i++)
        {
            payload[i] ^= Mask[i % Mask.Length];
        }
    }

    private static JsonNode ReadText(Socket socket, string type)
    {
        byte[] payload = ReadFrame(socket, out byte opcode);
        JsonNode? message = opcode == TextOpcode ? JsonNode.Parse(payload) : null;
        return (string?)message?["type"] == type
            ? message!
            : throw new InvalidOperationException($"'{type}' is expected, and this came: {Encoding.UTF8.GetString(payload)}");
    }

    private static byte[] ReadFrame(Socket socket, out byte opcode)
    {
        byte[] head = Exactly(socket, 2);
        opcode = head[0];
        int length = head[1] switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(Exactly(socket, 2)),
            127 => (int)BinaryPrimitives.ReadUInt64BigEndian(Exactly(socket, 8)),
            byte small => small,
        };
        return Exactly(socket, length);
    }

    private static byte[] Exactly(Socket socket, int length)
    {
        byte[] buffer = new byte[length];
        for (int at = 0; at < length;)
        {
            int count = socket.Receive(buffer.AsSpan(at));
            at += count > 0 ? count : throw new InvalidOperationException("The server closed the connection.");
        }

        return buffer;
    }

    private static string ReadLine(Socket socket)
    {
        var line = new StringBuilder();
        while (true)
        {
            char c = (char)Exactly(socket, 1)[0];
            if (c == '\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            _ = line.Append(c);
        }
    }
}
