namespace Gimlet.Quic.Protection;

/// <summary>How often keys may be used (RFC 9001 section 6.6).</summary>
/// <param name="Confidentiality">Packets that may be sealed with one key.</param>
/// <param name="Integrity">Packets of a connection, under all its keys, that may fail to authenticate.</param>
internal sealed record AeadLimits(long Confidentiality, long Integrity)
{
    /// <summary>
    /// RFC 9001 section 6.6: "For AEAD_AES_128_GCM and AEAD_AES_256_GCM, the confidentiality limit is 2^23 encrypted packets ... the
    /// integrity limit is 2^52 invalid packets".
    /// </summary>
    public static AeadLimits Gcm { get; } = new(1L << 23, 1L << 52);

    /// <summary>
    /// From here on a key update is wanted: at half of the limit there are as many packets left again for the peer to acknowledge the
    /// current keys, which it must before an update may begin.
    /// </summary>
    public long UpdateFrom => Confidentiality / 2;
}
