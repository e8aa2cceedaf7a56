using Gimlet.Quic.Protection;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Tests.Protection.Support;

namespace Gimlet.Quic.Tests.Protection;

/// <summary>What both implementations of packet protection must do, and do alike.</summary>
public sealed class ProviderConformanceTests
{
    public static TheoryData<string, int> Cases
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (string name in (string[])["base class library", "libcrypto"])
            {
                data.Add(name, (int)PacketCipher.Aes128GcmSha256);
                data.Add(name, (int)PacketCipher.Aes256GcmSha384);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Any_payload_is_sealed_as_the_base_class_library_seals_it(string name, int suite)
    {
        var cipher = (PacketCipher)suite;
        var random = new Random(5);
        byte[] key = Bytes(random, cipher.KeyLength());
        using IPacketProtector ours = Providers.Get(name).CreatePacketProtector(cipher, key);
        using IPacketProtector reference = BclProvider.Instance.CreatePacketProtector(cipher, key);
        using IHeaderProtector header = Providers.Get(name).CreateHeaderProtector(cipher, key);
        using IHeaderProtector referenceHeader = BclProvider.Instance.CreateHeaderProtector(cipher, key);
        byte[] tag = new byte[16], referenceTag = new byte[16];
        for (int i = 0; i < 500; i++)
        {
            byte[] nonce = Bytes(random, 12), associated = Bytes(random, random.Next(60)), plain = Bytes(random, random.Next(1500));
            byte[] payload = [.. plain], referencePayload = [.. plain];
            ours.Seal(nonce, associated, payload, tag);
            reference.Seal(nonce, associated, referencePayload, referenceTag);
            Assert.Equal(referencePayload, payload);
            Assert.Equal(referenceTag, tag);
            Assert.True(ours.Open(nonce, associated, payload, tag));
            Assert.Equal(plain, payload);

            byte[] sample = Bytes(random, 16), mask = new byte[16], referenceMask = new byte[16];
            header.Mask(sample, mask);
            referenceHeader.Mask(sample, referenceMask);
            Assert.Equal(referenceMask, mask);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_does_not_authenticate_leaves_no_plaintext(string name, int suite)
    {
        var cipher = (PacketCipher)suite;
        using IPacketProtector protector = Providers.Get(name).CreatePacketProtector(cipher, new byte[cipher.KeyLength()]);
        byte[] nonce = new byte[12], header = [1, 2, 3], plain = Bytes(new Random(1), 100), tag = new byte[16];
        byte[] payload = [.. plain];
        protector.Seal(nonce, header, payload, tag);

        byte[] copy = [.. payload];
        Assert.False(protector.Open(nonce, [1, 2, 4], copy, tag));
        Assert.Equal(new byte[100], copy);
        copy = [.. payload];
        Assert.False(protector.Open([1, .. nonce[1..]], header, copy, tag));
        copy = [.. payload];
        Assert.False(protector.Open(nonce, header, copy, [.. tag[..15], (byte)(tag[15] ^ 0x80)]));

        // And the key still works.
        Assert.True(protector.Open(nonce, header, payload, tag));
        Assert.Equal(plain, payload);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Keys_nonces_and_tags_of_another_length_are_refused(string name, int suite)
    {
        var cipher = (PacketCipher)suite;
        IProtectionProvider provider = Providers.Get(name);
        byte[] key = new byte[cipher.KeyLength()];
        Assert.ThrowsAny<ArgumentException>(() => provider.CreatePacketProtector(cipher, key.AsSpan(1)));
        Assert.ThrowsAny<ArgumentException>(() => provider.CreateHeaderProtector(cipher, key.AsSpan(1)));
        using IPacketProtector protector = provider.CreatePacketProtector(cipher, key);
        Assert.ThrowsAny<ArgumentException>(() => protector.Seal(new byte[11], default, default, new byte[16]));
        Assert.ThrowsAny<ArgumentException>(() => protector.Seal(new byte[12], default, default, new byte[15]));
        Assert.ThrowsAny<ArgumentException>(() => protector.Open(new byte[12], default, default, new byte[15]));
        using IHeaderProtector header = provider.CreateHeaderProtector(cipher, key);
        Assert.ThrowsAny<ArgumentException>(() => header.Mask(new byte[15], new byte[16]));
        Assert.ThrowsAny<ArgumentException>(() => header.Mask(new byte[16], new byte[15]));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_disposed_key_is_not_used(string name, int suite)
    {
        var cipher = (PacketCipher)suite;
        IPacketProtector protector = Providers.Get(name).CreatePacketProtector(cipher, new byte[cipher.KeyLength()]);
        protector.Dispose();
        protector.Dispose();
        Assert.Throws<ObjectDisposedException>(() => protector.Seal(new byte[12], default, new byte[20], new byte[16]));
        IHeaderProtector header = Providers.Get(name).CreateHeaderProtector(cipher, new byte[cipher.KeyLength()]);
        header.Dispose();
        header.Dispose();
        Assert.ThrowsAny<Exception>(() => header.Mask(new byte[16], new byte[16]));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Sealing_and_opening_a_packet_allocates_nothing(string name, int suite)
    {
        using var pair = new OneRttPair(Providers.Get(name), (PacketCipher)suite);
        byte[] packet = new byte[1200];
        long number = 0;
        Allocations.AssertNone(() =>
        {
            Quic.Wire.PacketLayout layout = Quic.Wire.ShortHeader.Write(packet, OneRttPair.Id, isSpinning: false, number, 4);
            int length = pair.Client.Keys.Seal(packet, layout, number, packet.Length - layout.PayloadOffset - PacketCiphers.TagLength);
            OpenedPacket opened = pair.Server.Keys.Open(packet.AsSpan(0, length), layout.PacketNumberOffset, number - 1);
            if (!opened.IsOpened || opened.PacketNumber != number++)
            {
                throw new InvalidOperationException("The packet did not open.");
            }
        });
    }

    private static byte[] Bytes(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
