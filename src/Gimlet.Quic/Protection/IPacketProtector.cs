namespace Gimlet.Quic.Protection;

/// <summary>
/// One AEAD key (RFC 9001 section 5.3): seals and opens payloads in place. Nothing is allocated, but for a payload that does not
/// authenticate in <see cref="BaseClassLibrary.BclPacketProtector"/>. Not thread-safe; one thread at a time calls it. After disposal no member
/// may be called.
/// </summary>
internal interface IPacketProtector : IDisposable
{
    /// <summary>Encrypts a payload and makes its tag.</summary>
    /// <param name="nonce">12 bytes, never used with this key before.</param>
    /// <param name="header">The associated data.</param>
    /// <param name="payload">The plaintext; the ciphertext takes its place. May be empty.</param>
    /// <param name="tag">Filled: 16 bytes.</param>
    void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> payload, Span<byte> tag);

    /// <summary>Verifies and decrypts a payload.</summary>
    /// <param name="nonce">12 bytes.</param>
    /// <param name="header">The associated data.</param>
    /// <param name="payload">The ciphertext; the plaintext takes its place, or zeros when it does not authenticate.</param>
    /// <param name="tag">16 bytes; left as they are.</param>
    /// <returns>Whether the payload is authentic.</returns>
    bool Open(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> payload, ReadOnlySpan<byte> tag);
}
