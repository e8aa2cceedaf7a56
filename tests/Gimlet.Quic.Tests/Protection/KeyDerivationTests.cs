using System.Security.Cryptography;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Tests.Protection.Support;

namespace Gimlet.Quic.Tests.Protection;

/// <summary>RFC 9001 appendix A.1 and A.5.</summary>
public sealed class KeyDerivationTests
{
    [Theory]
    [InlineData("client in", 32)]
    [InlineData("server in", 32)]
    [InlineData("quic key", 16)]
    [InlineData("quic iv", 12)]
    [InlineData("quic hp", 16)]
    public void The_labels_are_those_of_the_standard(string label, int length)
    {
        byte[] info = new byte[64];
        int written = HkdfLabel.Write(info, System.Text.Encoding.ASCII.GetBytes(label), context: [], length);
        Assert.Equal(Rfc9001.Label(label), info[..written]);
    }

    [Fact]
    public void Initial_secrets_and_keys_are_those_of_the_standard()
    {
        using var secrets = InitialSecrets.Derive(Rfc9001.OriginalDestination);
        Assert.Equal(Rfc9001.Value("Keys", 1, "client_initial_secret"), secrets.Client.ToArray());
        Assert.Equal(Rfc9001.Value("Keys", 2, "server_initial_secret"), secrets.Server.ToArray());
        AssertKeys(secrets.Client, 1);
        AssertKeys(secrets.Server, 2);

        static void AssertKeys(ReadOnlySpan<byte> secret, int block)
        {
            using var keys = PacketProtectionKeys.Derive(PacketCipher.Aes128GcmSha256, secret);
            Assert.Equal(Rfc9001.Value("Keys", block, "key"), keys.Key.ToArray());
            Assert.Equal(Rfc9001.Value("Keys", block, "iv"), keys.Iv.ToArray());
            Assert.Equal(Rfc9001.Value("Keys", block, "hp"), keys.HeaderKey.ToArray());
        }
    }

    [Fact]
    public void The_secret_after_a_key_update_is_that_of_the_standard()
    {
        // From the section on ChaCha20-Poly1305, whose hash is SHA-256: its keys show the labels for 32 bytes, its packet is out of scope.
        byte[] secret = Rfc9001.Value("ChaCha20", 0, "secret");
        using SecretBytes next = PacketProtectionKeys.NextSecret(PacketCipher.Aes128GcmSha256, secret);
        Assert.Equal(Rfc9001.Value("ChaCha20", 0, "ku"), next.Span.ToArray());

        byte[] key = new byte[32];
        HkdfLabel.Expand(HashAlgorithmName.SHA256, secret, "quic key"u8, [], key);
        Assert.Equal(Rfc9001.Value("ChaCha20", 0, "key"), key);
        HkdfLabel.Expand(HashAlgorithmName.SHA256, secret, "quic hp"u8, [], key);
        Assert.Equal(Rfc9001.Value("ChaCha20", 0, "hp"), key);
    }

    [Fact]
    public void The_keys_of_AES_256_come_from_SHA_384()
    {
        // There is no vector for this suite: one block of HKDF-Expand (RFC 5869 section 2.3) is HMAC(secret, info || 0x01).
        byte[] secret = [.. Enumerable.Range(0, 48).Select(i => (byte)i)];
        using var keys = PacketProtectionKeys.Derive(PacketCipher.Aes256GcmSha384, secret);
        using SecretBytes next = PacketProtectionKeys.NextSecret(PacketCipher.Aes256GcmSha384, secret);
        Assert.Equal(Expand("00200e746c7331332071756963206b657900", 32), keys.Key.ToArray());
        Assert.Equal(Expand("000c0d746c733133207175696320697600", 12), keys.Iv.ToArray());
        Assert.Equal(Expand("00200d746c733133207175696320687000", 32), keys.HeaderKey.ToArray());
        Assert.Equal(Expand("00300d746c7331332071756963206b7500", 48), next.Span.ToArray());

        byte[] Expand(string info, int length)
        {
            byte[] block = [.. Convert.FromHexString(info), 1];
            return HMACSHA384.HashData(secret, block)[..length];
        }
    }

    [Fact]
    public void Secrets_are_wiped()
    {
        var secrets = InitialSecrets.Derive(Rfc9001.OriginalDestination);
        var keys = PacketProtectionKeys.Derive(PacketCipher.Aes128GcmSha256, secrets.Client);
        SecretBytes next = PacketProtectionKeys.NextSecret(PacketCipher.Aes128GcmSha256, secrets.Client);
        Assert.True(keys.Key.ContainsAnyExcept((byte)0));
        Assert.True(next.Span.ContainsAnyExcept((byte)0));
        next.Dispose();
        keys.Dispose();
        secrets.Dispose();
        Assert.False(keys.Key.ContainsAnyExcept((byte)0));
        Assert.False(keys.Iv.ContainsAnyExcept((byte)0));
        Assert.False(keys.HeaderKey.ContainsAnyExcept((byte)0));
        Assert.False(next.Span.ContainsAnyExcept((byte)0));
        Assert.False(secrets.Client.ContainsAnyExcept((byte)0));
        Assert.False(secrets.Server.ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void A_secret_of_another_length_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => PacketProtectionKeys.Derive(PacketCipher.Aes256GcmSha384, new byte[32]));
}
