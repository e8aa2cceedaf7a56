using System.Buffers.Binary;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Protection;

/// <summary>A packet protection key with its IV (RFC 9001 section 5.3): one direction, one key phase.</summary>
internal sealed class AeadKey : IDisposable
{
    // The first 4 and the last 8 bytes of the IV: the packet number meets only the latter.
    private const int NumberOffset = PacketCiphers.NonceLength - sizeof(ulong);

    private readonly IPacketProtector _protector;
    private uint _ivHead;
    private ulong _ivTail;

    /// <summary>Makes a key.</summary>
    /// <param name="provider">Whose implementation.</param>
    /// <param name="keys">Key and IV; may be wiped afterwards.</param>
    public AeadKey(IProtectionProvider provider, PacketProtectionKeys keys)
    {
        _protector = provider.CreatePacketProtector(keys.Cipher, keys.Key);
        _ivHead = BinaryPrimitives.ReadUInt32BigEndian(keys.Iv);
        _ivTail = BinaryPrimitives.ReadUInt64BigEndian(keys.Iv[NumberOffset..]);
    }

    /// <summary>How many packets were sealed with this key.</summary>
    public long SealedCount { get; private set; }

    /// <summary>Derives key and IV from a secret and makes the key. Its header protection key is not derived: after a key update there is none.</summary>
    public static AeadKey FromSecret(IProtectionProvider provider, PacketCipher cipher, ReadOnlySpan<byte> secret)
    {
        using var keys = PacketProtectionKeys.DerivePacketKeys(cipher, secret);
        return new AeadKey(provider, keys);
    }

    /// <summary>Seals a packet's payload and puts the tag behind it.</summary>
    /// <param name="packet">The packet with room for the tag.</param>
    /// <param name="payloadOffset">Where the payload begins; all before it is authenticated.</param>
    /// <param name="payloadLength">In bytes.</param>
    /// <param name="packetNumber">The full packet number, never used with this key before.</param>
    public void Seal(Span<byte> packet, int payloadOffset, int payloadLength, long packetNumber)
    {
        Span<byte> nonce = stackalloc byte[PacketCiphers.NonceLength];
        WriteNonce(nonce, packetNumber);
        SealedCount++;
        _protector.Seal(
            nonce,
            packet[..payloadOffset],
            packet.Slice(payloadOffset, payloadLength),
            packet.Slice(payloadOffset + payloadLength, PacketCiphers.TagLength));
    }

    /// <summary>Opens a packet's payload.</summary>
    /// <param name="packet">The whole packet, header protection removed.</param>
    /// <param name="payloadOffset">Where the payload begins.</param>
    /// <param name="packetNumber">The full packet number.</param>
    public bool Open(Span<byte> packet, int payloadOffset, long packetNumber)
    {
        Span<byte> nonce = stackalloc byte[PacketCiphers.NonceLength];
        WriteNonce(nonce, packetNumber);
        return _protector.Open(
            nonce, packet[..payloadOffset], packet[payloadOffset..^PacketCiphers.TagLength], packet[^PacketCiphers.TagLength..]);
    }

    /// <summary>Frees and wipes the key.</summary>
    public void Dispose()
    {
        _protector.Dispose();
        _ivHead = 0;
        _ivTail = 0;
    }

    // RFC 9001 section 5.3: "The 62 bits of the reconstructed QUIC packet number in network byte order are left-padded with zeros to the size of
    // the IV. The exclusive OR of the padded packet number and the IV forms the AEAD nonce."
    private void WriteNonce(Span<byte> nonce, long packetNumber)
    {
        BinaryPrimitives.WriteUInt32BigEndian(nonce, _ivHead);
        BinaryPrimitives.WriteUInt64BigEndian(nonce[NumberOffset..], _ivTail ^ (ulong)packetNumber);
    }
}
