namespace Gimlet.Quic.Protection;

/// <summary>What a secret turns into (RFC 9001 section 5.1): packet protection key, IV and header protection key. Wiped when disposed of.</summary>
internal sealed class PacketProtectionKeys : IDisposable
{
    // Key, header protection key and IV, one after the other: a dozen of these are made in every handshake.
    private readonly SecretBytes _bytes;
    private readonly int _keyLength;

    private PacketProtectionKeys(PacketCipher cipher)
    {
        Cipher = cipher;
        _keyLength = cipher.KeyLength();
        _bytes = new SecretBytes((2 * _keyLength) + PacketCiphers.NonceLength);
    }

    /// <summary>The suite that the keys are for.</summary>
    public PacketCipher Cipher { get; }

    /// <summary>The packet protection key.</summary>
    public ReadOnlySpan<byte> Key => _bytes.Span[.._keyLength];

    /// <summary>The packet protection IV.</summary>
    public ReadOnlySpan<byte> Iv => _bytes.Span[(2 * _keyLength)..];

    /// <summary>The header protection key; zeros where none was derived.</summary>
    public ReadOnlySpan<byte> HeaderKey => _bytes.Span.Slice(_keyLength, _keyLength);

    /// <summary>Derives the keys of one direction.</summary>
    /// <param name="cipher">The suite.</param>
    /// <param name="secret">The traffic secret, as long as the suite's hash.</param>
    public static PacketProtectionKeys Derive(PacketCipher cipher, ReadOnlySpan<byte> secret)
    {
        PacketProtectionKeys keys = DerivePacketKeys(cipher, secret);
        HkdfLabel.Expand(cipher.Hash(), secret, "quic hp"u8, [], keys._bytes.Span.Slice(keys._keyLength, keys._keyLength));
        return keys;
    }

    /// <summary>
    /// Derives key and IV alone, which is what a key update does. RFC 9001 section 6.1: "The header protection key is not updated."
    /// </summary>
    /// <param name="cipher">The suite.</param>
    /// <param name="secret">The traffic secret, as long as the suite's hash.</param>
    public static PacketProtectionKeys DerivePacketKeys(PacketCipher cipher, ReadOnlySpan<byte> secret)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(secret.Length, cipher.SecretLength(), nameof(secret));
        var keys = new PacketProtectionKeys(cipher);
        HkdfLabel.Expand(cipher.Hash(), secret, "quic key"u8, [], keys._bytes.Span[..keys._keyLength]);
        HkdfLabel.Expand(cipher.Hash(), secret, "quic iv"u8, [], keys._bytes.Span[(2 * keys._keyLength)..]);
        return keys;
    }

    /// <summary>The secret after a key update: RFC 9001 section 6.1, <c>HKDF-Expand-Label(secret, "quic ku", "", Hash.length)</c>.</summary>
    /// <param name="cipher">The suite.</param>
    /// <param name="secret">The secret in use.</param>
    public static SecretBytes NextSecret(PacketCipher cipher, ReadOnlySpan<byte> secret)
    {
        var next = new SecretBytes(cipher.SecretLength());
        HkdfLabel.Expand(cipher.Hash(), secret, "quic ku"u8, [], next.Span);
        return next;
    }

    /// <summary>Wipes the keys.</summary>
    public void Dispose() => _bytes.Dispose();
}
