using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Protection;

/// <summary>Opens the packets of a level whose keys never change: Initial or Handshake (RFC 9001 section 5).</summary>
internal sealed class PacketOpener : IDisposable
{
    private readonly AeadKey _key;
    private readonly IHeaderProtector _header;
    private readonly ForgeryCount _forgeries;

    /// <summary>Makes the keys of a direction.</summary>
    /// <param name="provider">Whose implementation.</param>
    /// <param name="cipher">The suite.</param>
    /// <param name="secret">The secret; not kept.</param>
    /// <param name="forgeries">The connection's count.</param>
    public PacketOpener(IProtectionProvider provider, PacketCipher cipher, ReadOnlySpan<byte> secret, ForgeryCount forgeries)
    {
        using var keys = PacketProtectionKeys.Derive(cipher, secret);
        _key = new AeadKey(provider, keys);
        _header = provider.CreateHeaderProtector(cipher, keys.HeaderKey);
        _forgeries = forgeries;
    }

    /// <summary>Opens a packet in place.</summary>
    /// <param name="packet">The whole packet.</param>
    /// <param name="packetNumberOffset">Where its packet number begins.</param>
    /// <param name="largestReceived">The largest number of an authentic packet in this space, or <see cref="PacketNumber.None"/>.</param>
    public OpenedPacket Open(Span<byte> packet, int packetNumberOffset, long largestReceived)
    {
        if (_forgeries.IsLimitReached)
        {
            return Opening.LimitReached;
        }

        if (!Opening.TryRemoveHeader(_header, packet, packetNumberOffset, largestReceived, out UncoveredPacket uncovered))
        {
            return new OpenedPacket(OpenResult.TooShort);
        }

        return _key.Open(packet, uncovered.PayloadOffset, uncovered.PacketNumber)
            ? Opening.Check(packet, uncovered, generation: 0)
            : Opening.CountForgery(_forgeries);
    }

    /// <summary>Frees and wipes the keys.</summary>
    public void Dispose()
    {
        _key.Dispose();
        _header.Dispose();
    }
}
