using System.Net.Security;
using Gimlet.Quic.Tls.Extensions;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tls.Messages;

/// <summary>ServerHello (RFC 8446 section 4.1.3), and the HelloRetryRequest (section 4.1.4) that has its shape.</summary>
internal readonly ref struct ServerHello
{
    /// <summary>SHA-256 of "HelloRetryRequest": the random that makes a ServerHello one.</summary>
    public static ReadOnlySpan<byte> RetryRandom =>
    [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
        0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ];

    // RFC 8446 section 4.1.3: "DOWNGRD" and 01 for TLS 1.2, 00 for TLS 1.1 or below.
    private static ReadOnlySpan<byte> DowngradeSentinel => "DOWNGRD"u8;

    public ushort LegacyVersion { get; private init; }

    public ReadOnlySpan<byte> Random { get; private init; }

    public ReadOnlySpan<byte> SessionIdEcho { get; private init; }

    public TlsCipherSuite CipherSuite { get; private init; }

    public byte CompressionMethod { get; private init; }

    public ExtensionList Extensions { get; private init; }

    public bool IsRetryRequest => Random.SequenceEqual(RetryRandom);

    /// <summary>Whether the server says that it could have spoken TLS 1.3.</summary>
    public bool HasDowngradeSentinel => Random[^8..^1].SequenceEqual(DowngradeSentinel) && Random[^1] is 0 or 1;

    public static TlsError? Parse(ReadOnlySpan<byte> body, TlsLimits limits, out ServerHello hello)
    {
        hello = default;
        var reader = new TlsReader(body);
        if (!reader.TryReadUInt16(out ushort version)
            || !reader.TryReadBytes(ClientHello.RandomLength, out ReadOnlySpan<byte> random)
            || !reader.TryReadVector8(out ReadOnlySpan<byte> sessionId)
            || sessionId.Length > 32
            || !reader.TryReadUInt16(out ushort suite)
            || !reader.TryReadByte(out byte compression))
        {
            return TlsAlert.DecodeError.Because("ServerHello is malformed");
        }

        // A TLS 1.2 server may send no extensions; the missing version is told by the caller.
        ReadOnlySpan<byte> block = default;
        if (!reader.IsEmpty && (!reader.TryReadVector16(out block) || !reader.IsEmpty))
        {
            return TlsAlert.DecodeError.Because("ServerHello's extensions are malformed");
        }

        if (ExtensionList.Parse(block, limits, out ExtensionList extensions) is { } error)
        {
            return error;
        }

        hello = new ServerHello
        {
            LegacyVersion = version,
            Random = random,
            SessionIdEcho = sessionId,
            CipherSuite = (TlsCipherSuite)suite,
            CompressionMethod = compression,
            Extensions = extensions,
        };
        return null;
    }

    public static void Write(TlsWriter writer, ReadOnlySpan<byte> random, TlsCipherSuite suite, EphemeralKey share)
    {
        (int message, int extensions) = Begin(writer, random, suite);
        int mark = writer.BeginExtension(ExtensionType.KeyShare);
        KeyShareExtension.WriteServerShare(writer, share);
        writer.End(mark, 2);
        End(writer, message, extensions);
    }

    /// <summary>Writes a HelloRetryRequest.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="suite">The suite that the ServerHello will name again.</param>
    /// <param name="group">The group a share is wanted of, or null when the client sent it already.</param>
    /// <param name="cookie">Opaque bytes the client must give back; may be empty.</param>
    public static void WriteRetryRequest(TlsWriter writer, TlsCipherSuite suite, NamedGroup? group, ReadOnlySpan<byte> cookie)
    {
        (int message, int extensions) = Begin(writer, RetryRandom, suite);
        int mark;
        if (group is { } wanted)
        {
            mark = writer.BeginExtension(ExtensionType.KeyShare);
            writer.WriteUInt16((ushort)wanted);
            writer.End(mark, 2);
        }

        if (!cookie.IsEmpty)
        {
            mark = writer.BeginExtension(ExtensionType.Cookie);
            CookieExtension.Write(writer, cookie);
            writer.End(mark, 2);
        }

        End(writer, message, extensions);
    }

    private static (int Message, int Extensions) Begin(TlsWriter writer, ReadOnlySpan<byte> random, TlsCipherSuite suite)
    {
        int message = writer.BeginMessage(HandshakeType.ServerHello);
        writer.WriteUInt16(ClientHelloWriter.LegacyVersion);
        writer.WriteBytes(random);
        writer.WriteByte(0);
        writer.WriteUInt16((ushort)suite);
        writer.WriteByte(0);
        int extensions = writer.Begin(2);
        int mark = writer.BeginExtension(ExtensionType.SupportedVersions);
        SupportedVersionsExtension.WriteServer(writer);
        writer.End(mark, 2);
        return (message, extensions);
    }

    private static void End(TlsWriter writer, int message, int extensions)
    {
        writer.End(extensions, 2);
        writer.End(message, 3);
    }
}
