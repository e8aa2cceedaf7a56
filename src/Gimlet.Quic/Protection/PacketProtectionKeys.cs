namespace Gimlet.Quic.Protection;

/// <summary>What a secret turns into (RFC 9001 section 5.1): packet protection key, IV and header protection key. Wiped when disposed of.</summary>
internal sealed class PacketProtectionKeys : IDisposable
{
    private readonly SecretBytes _key;
    private readonly SecretBytes _iv = new(PacketCiphers.NonceLength);
    private readonly SecretBytes _headerKey;

    private PacketProtectionKeys(PacketCipher cipher)
    {
        Cipher = cipher;
        _key = new SecretBytes(cipher.KeyLength());
        _headerKey = new SecretBytes(cipher.KeyLength());
    }

    /// <summary>The suite that the keys are for.</summary>
    public PacketCipher Cipher { get; }

    /// <summary>The packet protection key.</summary>
    public ReadOnlySpan<byte> Key => _key.Span;

    /// <summary>The packet protection IV.</summary>
    public ReadOnlySpan<byte> Iv => _iv.Span;

    /// <summary>The header protection key. Not that of the connection after a key update, which keeps its first one.</summary>
    public ReadOnlySpan<byte> HeaderKey => _headerKey.Span;

    /// <summary>Derives the keys of one direction.</summary>
    /// <param name="cipher">The suite.</param>
    /// <param name="secret">The traffic secret, as long as the suite's hash.</param>
    public static PacketProtectionKeys Derive(PacketCipher cipher, ReadOnlySpan<byte> secret)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(secret.Length, cipher.SecretLength(), nameof(secret));
        var keys = new PacketProtectionKeys(cipher);
        HkdfLabel.Expand(cipher.Hash(), secret, "quic key"u8, [], keys._key.Span);
        HkdfLabel.Expand(cipher.Hash(), secret, "quic iv"u8, [], keys._iv.Span);
        HkdfLabel.Expand(cipher.Hash(), secret, "quic hp"u8, [], keys._headerKey.Span);
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
    public void Dispose()
    {
        _key.Dispose();
        _iv.Dispose();
        _headerKey.Dispose();
    }
}
