namespace Gimlet.Quic.Protection;

/// <summary>
/// One header protection key (RFC 9001 section 5.4.3). Allocates nothing. Not thread-safe. After disposal no member may be called.
/// </summary>
internal interface IHeaderProtector : IDisposable
{
    /// <summary>The bytes of a sample, and of a mask.</summary>
    const int SampleLength = 16;

    /// <summary>Makes the mask of a packet: AES-ECB of its sample.</summary>
    /// <param name="sample">16 bytes of ciphertext.</param>
    /// <param name="mask">Filled: 16 bytes, of which header protection uses five.</param>
    void Mask(ReadOnlySpan<byte> sample, Span<byte> mask);
}
