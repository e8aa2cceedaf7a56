namespace Gimlet.Quic.Tls.Certificates;

/// <summary>What a CertificateVerify signs.</summary>
internal static class HandshakeSignature
{
    // RFC 8446 section 4.4.3: "A string that consists of octet 32 (0x20) repeated 64 times".
    private const int PaddingLength = 64;
    private const byte Padding = 0x20;

    private static ReadOnlySpan<byte> ServerContext => "TLS 1.3, server CertificateVerify"u8;

    private static ReadOnlySpan<byte> ClientContext => "TLS 1.3, client CertificateVerify"u8;

    /// <summary>
    /// Padding, context string, a zero byte, transcript hash. The context keeps a signature that one role made from being shown by the
    /// other.
    /// </summary>
    public static byte[] Content(bool byServer, ReadOnlySpan<byte> transcriptHash)
    {
        ReadOnlySpan<byte> context = byServer ? ServerContext : ClientContext;
        byte[] content = new byte[PaddingLength + context.Length + 1 + transcriptHash.Length];
        content.AsSpan(0, PaddingLength).Fill(Padding);
        context.CopyTo(content.AsSpan(PaddingLength));
        transcriptHash.CopyTo(content.AsSpan(PaddingLength + context.Length + 1));
        return content;
    }
}
