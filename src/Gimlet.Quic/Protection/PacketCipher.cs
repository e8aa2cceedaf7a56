using System.Security.Cryptography;

namespace Gimlet.Quic.Protection;

/// <summary>
/// The cipher suites of packet protection, with their TLS numbers (RFC 8446 appendix B.4). ChaCha20-Poly1305 is not among them: the header
/// protection needs the raw ChaCha20 function, which no platform's primitives offer.
/// </summary>
internal enum PacketCipher
{
    /// <summary>TLS_AES_128_GCM_SHA256; also protects all Initial packets (RFC 9001 section 5.2).</summary>
    Aes128GcmSha256 = 0x1301,

    /// <summary>TLS_AES_256_GCM_SHA384.</summary>
    Aes256GcmSha384 = 0x1302,
}

/// <summary>The sizes of a suite.</summary>
internal static class PacketCiphers
{
    /// <summary>The nonce of all AEADs here, in bytes (RFC 5116 section 5).</summary>
    public const int NonceLength = 12;

    /// <summary>The authentication tag of all AEADs here, in bytes.</summary>
    public const int TagLength = 16;

    /// <summary>The length of the packet protection key, and of the header protection key, in bytes.</summary>
    public static int KeyLength(this PacketCipher cipher) => cipher switch
    {
        PacketCipher.Aes128GcmSha256 => 16,
        PacketCipher.Aes256GcmSha384 => 32,
        _ => throw Unknown(cipher),
    };

    /// <summary>The length of a secret in bytes: that of the hash.</summary>
    public static int SecretLength(this PacketCipher cipher) => cipher switch
    {
        PacketCipher.Aes128GcmSha256 => 32,
        PacketCipher.Aes256GcmSha384 => 48,
        _ => throw Unknown(cipher),
    };

    /// <summary>The hash of HKDF.</summary>
    public static HashAlgorithmName Hash(this PacketCipher cipher) => cipher switch
    {
        PacketCipher.Aes128GcmSha256 => HashAlgorithmName.SHA256,
        PacketCipher.Aes256GcmSha384 => HashAlgorithmName.SHA384,
        _ => throw Unknown(cipher),
    };

    private static ArgumentOutOfRangeException Unknown(PacketCipher cipher) =>
        new(nameof(cipher), cipher, "Not a cipher suite of packet protection.");
}
