using System.Security.Cryptography;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>The keys of one direction of one level, without the rules that an endpoint keeps: may be updated at any time.</summary>
internal sealed class RawKeys : IDisposable
{
    private readonly IProtectionProvider _provider;
    private readonly PacketCipher _cipher;
    private readonly IHeaderProtector _header;
    private byte[] _secret;
    private AeadKey _key;

    public RawKeys(IProtectionProvider provider, ReadOnlySpan<byte> secret)
    {
        _provider = provider;
        _secret = secret.ToArray();
        _cipher = secret.Length == SHA384.HashSizeInBytes ? PacketCipher.Aes256GcmSha384 : PacketCipher.Aes128GcmSha256;
        using var keys = PacketProtectionKeys.Derive(_cipher, secret);
        _key = new AeadKey(provider, keys);
        _header = provider.CreateHeaderProtector(_cipher, keys.HeaderKey);
    }

    /// <summary>0 for the first keys, one more for each update.</summary>
    public int Generation { get; private set; }

    /// <summary>Goes on to the next keys.</summary>
    public void Update()
    {
        using SecretBytes next = PacketProtectionKeys.NextSecret(_cipher, _secret);
        _secret = next.Span.ToArray();
        _key.Dispose();
        _key = AeadKey.FromSecret(_provider, _cipher, _secret);
        Generation++;
    }

    /// <summary>Seals a packet.</summary>
    /// <returns>Its length.</returns>
    public int Seal(Span<byte> packet, in PacketLayout layout, long packetNumber, int payloadLength)
    {
        if (!layout.IsLong && (Generation & 1) != 0)
        {
            packet[0] |= HeaderBits.KeyPhase;
        }

        return Sealing.Seal(_key, _header, packet, layout, packetNumber, payloadLength);
    }

    /// <summary>Opens a packet; one of the next key phase is followed.</summary>
    public bool Open(Span<byte> packet, int packetNumberOffset, long largest, out UncoveredPacket uncovered)
    {
        if (!Opening.TryRemoveHeader(_header, packet, packetNumberOffset, largest, out uncovered))
        {
            return false;
        }

        bool isOdd = (packet[0] & HeaderBits.KeyPhase) != 0;
        if (!HeaderBits.IsLong(packet[0]) && isOdd != ((Generation & 1) != 0))
        {
            Update();
        }

        return _key.Open(packet, uncovered.PayloadOffset, uncovered.PacketNumber);
    }

    public void Dispose()
    {
        _key.Dispose();
        _header.Dispose();
    }
}
