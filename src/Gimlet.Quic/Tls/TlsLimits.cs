namespace Gimlet.Quic.Tls;

/// <summary>What a peer may make us hold or work on. Each bound answers to something that happened or is in use.</summary>
internal sealed record TlsLimits
{
    /// <summary>The limits used unless others are given.</summary>
    public static TlsLimits Default { get; } = new();

    /// <summary>
    /// Bytes of a hello, EncryptedExtensions or CertificateRequest. Today's largest ClientHellos (post-quantum key shares, encrypted
    /// client hello) are about 4 KB; a server must hold one of them per stranger before anything is validated, hence no more than 16 KB.
    /// </summary>
    public int MaxMessageBytes { get; init; } = 16 * 1024;

    /// <summary>
    /// Bytes of a Certificate message. Chains of three RSA certificates are 4 to 6 KB; OpenSSL stops at 100 KB, we at 64.
    /// </summary>
    public int MaxCertificateMessageBytes { get; init; } = 64 * 1024;

    /// <summary>
    /// Certificates in a chain. Public chains have 2 to 4; OpenSSL's verification depth is 100, which is work for free (CVE-2023-0464).
    /// </summary>
    public int MaxChainLength { get; init; } = 10;

    /// <summary>Extensions in one block. Browsers send about 20; the check for duplicates is quadratic in this.</summary>
    public int MaxExtensions { get; init; } = 64;

    /// <summary>
    /// Bits of an RSA key whose signature we verify: Go's crypto/tls spent seconds of CPU on keys larger than that (CVE-2023-29409).
    /// </summary>
    public int MaxRsaBits { get; init; } = 8192;

    /// <summary>Bits below which an RSA key proves nothing: NIST SP 800-131A and the CA/Browser Forum ask for 2048.</summary>
    public int MinRsaBits { get; init; } = 2048;
}
