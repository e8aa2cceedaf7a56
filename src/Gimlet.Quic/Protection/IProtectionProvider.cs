using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Protection;

/// <summary>
/// An implementation of the cryptography of a connection: packet protection, and the curves of its handshake. Thread-safe: every connection of the
/// process may ask the same one for its keys.
/// </summary>
internal interface IProtectionProvider
{
    /// <summary>A name for reports, stable.</summary>
    string Name { get; }

    /// <summary>The elliptic curves of the handshake.</summary>
    ICurveProvider Curves { get; }

    /// <summary>Makes a key of packet protection.</summary>
    /// <param name="cipher">The suite.</param>
    /// <param name="key">The key; copied.</param>
    IPacketProtector CreatePacketProtector(PacketCipher cipher, ReadOnlySpan<byte> key);

    /// <summary>Makes a key of header protection.</summary>
    /// <param name="cipher">The suite.</param>
    /// <param name="key">The key; copied.</param>
    IHeaderProtector CreateHeaderProtector(PacketCipher cipher, ReadOnlySpan<byte> key);
}
