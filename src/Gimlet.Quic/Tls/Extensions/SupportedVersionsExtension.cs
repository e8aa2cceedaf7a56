namespace Gimlet.Quic.Tls.Extensions;

/// <summary>supported_versions (RFC 8446 section 4.2.1).</summary>
internal static class SupportedVersionsExtension
{
    public const ushort Tls13 = 0x0304;

    // RFC 9001 section 4.2: "Clients MUST NOT offer TLS versions older than 1.3."
    public static void WriteClient(TlsWriter writer)
    {
        writer.WriteByte(2);
        writer.WriteUInt16(Tls13);
    }

    public static void WriteServer(TlsWriter writer) => writer.WriteUInt16(Tls13);

    public static bool TryParseClient(ReadOnlySpan<byte> body, out UInt16List versions)
    {
        versions = default;
        var reader = new TlsReader(body);
        return reader.TryReadVector8(out ReadOnlySpan<byte> bytes) && reader.IsEmpty && UInt16List.TryWrap(bytes, out versions);
    }

    public static bool TryParseServer(ReadOnlySpan<byte> body, out ushort version)
    {
        var reader = new TlsReader(body);
        return reader.TryReadUInt16(out version) && reader.IsEmpty;
    }
}
