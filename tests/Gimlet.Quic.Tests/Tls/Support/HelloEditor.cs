using System.Buffers.Binary;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Extensions;
using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tests.Tls.Support;

/// <summary>Takes a hello apart, lets a test change any field, and puts it together again with lengths that fit.</summary>
internal sealed class HelloEditor
{
    private readonly HandshakeType _type;

    private HelloEditor(HandshakeType type)
    {
        _type = type;
    }

    public ushort Version { get; set; }

    public byte[] Random { get; set; } = [];

    public byte[] SessionId { get; set; } = [];

    /// <summary>A ClientHello's list, or the one suite of a ServerHello.</summary>
    public byte[] CipherSuites { get; set; } = [];

    /// <summary>A ClientHello's list, or the one method of a ServerHello.</summary>
    public byte[] Compression { get; set; } = [];

    public List<(ExtensionType Type, byte[] Body)> Extensions { get; } = [];

    /// <summary>Bytes after the end.</summary>
    public byte[] Trailer { get; set; } = [];

    /// <summary>Leaves the whole block out, as TLS 1.2 allows.</summary>
    public bool WithoutExtensions { get; set; }

    public static HelloEditor Parse(byte[] message)
    {
        var editor = new HelloEditor((HandshakeType)message[0]);
        bool client = editor._type == HandshakeType.ClientHello;
        var reader = new TlsReader(message.AsSpan(HandshakeBuffer.HeaderLength));
        Assert.True(reader.TryReadUInt16(out ushort version));
        Assert.True(reader.TryReadBytes(32, out ReadOnlySpan<byte> random));
        Assert.True(reader.TryReadVector8(out ReadOnlySpan<byte> sessionId));
        ReadOnlySpan<byte> suites;
        ReadOnlySpan<byte> compression;
        Assert.True(client ? reader.TryReadVector16(out suites) : reader.TryReadBytes(2, out suites));
        Assert.True(client ? reader.TryReadVector8(out compression) : reader.TryReadBytes(1, out compression));
        Assert.True(reader.TryReadVector16(out ReadOnlySpan<byte> block));
        editor.Version = version;
        editor.Random = random.ToArray();
        editor.SessionId = sessionId.ToArray();
        editor.CipherSuites = suites.ToArray();
        editor.Compression = compression.ToArray();
        var extensions = new TlsReader(block);
        while (extensions.TryReadEntry(out ushort type, out ReadOnlySpan<byte> body))
        {
            editor.Extensions.Add(((ExtensionType)type, body.ToArray()));
        }

        return editor;
    }

    public byte[] Get(ExtensionType type) => Extensions.Single(extension => extension.Type == type).Body;

    public HelloEditor Remove(ExtensionType type)
    {
        Assert.Equal(1, Extensions.RemoveAll(extension => extension.Type == type));
        return this;
    }

    /// <summary>Replaces a body in place, or appends the extension.</summary>
    public HelloEditor Set(ExtensionType type, params byte[] body)
    {
        int index = Extensions.FindIndex(extension => extension.Type == type);
        if (index < 0)
        {
            Extensions.Add((type, body));
        }
        else
        {
            Extensions[index] = (type, body);
        }

        return this;
    }

    public HelloEditor Set(ExtensionType type, string hex) => Set(type, Convert.FromHexString(hex));

    public byte[] Encode()
    {
        bool client = _type == HandshakeType.ClientHello;
        var writer = new TlsWriter();
        writer.WriteUInt16(Version);
        writer.WriteBytes(Random);
        writer.WriteByte((byte)SessionId.Length);
        writer.WriteBytes(SessionId);
        if (client)
        {
            writer.WriteUInt16((ushort)CipherSuites.Length);
        }

        writer.WriteBytes(CipherSuites);
        if (client)
        {
            writer.WriteByte((byte)Compression.Length);
        }

        writer.WriteBytes(Compression);
        if (!WithoutExtensions)
        {
            writer.WriteBytes(EncodeBlock(Extensions));
        }

        writer.WriteBytes(Trailer);
        return WireMessage.Frame(_type, writer.Written.Span);
    }

    /// <summary>A block of extensions with its length.</summary>
    public static byte[] EncodeBlock(IEnumerable<(ExtensionType Type, byte[] Body)> extensions)
    {
        var writer = new TlsWriter();
        int block = writer.Begin(2);
        foreach ((ExtensionType type, byte[] body) in extensions)
        {
            writer.WriteExtension(type, body);
        }

        writer.End(block, 2);
        return writer.Written.ToArray();
    }

    /// <summary>key_share of a client: group and point, again and again.</summary>
    public static byte[] Shares(params (int Group, byte[] Point)[] shares)
    {
        using var stream = new MemoryStream();
        Span<byte> number = stackalloc byte[2];
        foreach ((int group, byte[] point) in shares)
        {
            BinaryPrimitives.WriteUInt16BigEndian(number, (ushort)group);
            stream.Write(number);
            BinaryPrimitives.WriteUInt16BigEndian(number, (ushort)point.Length);
            stream.Write(number);
            stream.Write(point);
        }

        byte[] list = stream.ToArray();
        return [(byte)(list.Length >> 8), (byte)list.Length, .. list];
    }
}
