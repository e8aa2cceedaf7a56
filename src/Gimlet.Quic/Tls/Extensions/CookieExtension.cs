namespace Gimlet.Quic.Tls.Extensions;

/// <summary>cookie (RFC 8446 section 4.2.2): opaque bytes that a client gives back.</summary>
internal static class CookieExtension
{
    public static void Write(TlsWriter writer, ReadOnlySpan<byte> cookie)
    {
        int mark = writer.Begin(2);
        writer.WriteBytes(cookie);
        writer.End(mark, 2);
    }

    // opaque cookie<1..2^16-1>
    public static bool TryParse(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> cookie)
    {
        var reader = new TlsReader(body);
        return reader.TryReadVector16(out cookie) && reader.IsEmpty && !cookie.IsEmpty;
    }
}
