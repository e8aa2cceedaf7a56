using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Protection;

/// <summary>Seals the packets of a level whose keys never change: Initial or Handshake (RFC 9001 section 5).</summary>
internal sealed class PacketSealer : IDisposable
{
    private readonly AeadKey _key;
    private readonly IHeaderProtector _header;
    private readonly AeadLimits _limits;

    /// <summary>Makes the keys of a direction.</summary>
    /// <param name="provider">Whose implementation.</param>
    /// <param name="cipher">The suite.</param>
    /// <param name="secret">The secret; not kept.</param>
    /// <param name="limits">How often the keys may be used.</param>
    public PacketSealer(IProtectionProvider provider, PacketCipher cipher, ReadOnlySpan<byte> secret, AeadLimits limits)
    {
        using var keys = PacketProtectionKeys.Derive(cipher, secret);
        _key = new AeadKey(provider, keys);
        _header = provider.CreateHeaderProtector(cipher, keys.HeaderKey);
        _limits = limits;
    }

    /// <summary>Whether another packet may be sealed; otherwise the connection ends with AEAD_LIMIT_REACHED.</summary>
    public bool CanSeal => _key.SealedCount < _limits.Confidentiality;

    /// <summary>Seals a packet in place.</summary>
    /// <param name="packet">Begins with the packet; has room for the tag.</param>
    /// <param name="layout">What the header's writer returned.</param>
    /// <param name="packetNumber">The full packet number.</param>
    /// <param name="payloadLength">The frames in bytes; at least <see cref="HeaderProtection.MinPayloadLength"/>.</param>
    /// <returns>The length of the packet.</returns>
    public int Seal(Span<byte> packet, in PacketLayout layout, long packetNumber, int payloadLength)
    {
        if (!CanSeal)
        {
            throw new InvalidOperationException("The confidentiality limit of the keys is reached (RFC 9001 section 6.6).");
        }

        return Sealing.Seal(_key, _header, packet, layout, packetNumber, payloadLength);
    }

    /// <summary>Frees and wipes the keys.</summary>
    public void Dispose()
    {
        _key.Dispose();
        _header.Dispose();
    }
}
