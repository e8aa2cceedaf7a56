using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Protection.LibCrypto;

/// <summary>Packet protection and curves with the platform's libcrypto. Made only where <see cref="LibCryptoLibrary.IsFound"/>.</summary>
internal sealed class LibCryptoProvider : IProtectionProvider
{
    /// <inheritdoc/>
    public string Name => "libcrypto";

    /// <inheritdoc/>
    public ICurveProvider Curves { get; } = LibCryptoLibrary.HasCurves ? new LibCryptoCurves() : BclCurves.Instance;

    /// <inheritdoc/>
    public IPacketProtector CreatePacketProtector(PacketCipher cipher, ReadOnlySpan<byte> key) => new LibCryptoPacketProtector(cipher, key);

    /// <inheritdoc/>
    public IHeaderProtector CreateHeaderProtector(PacketCipher cipher, ReadOnlySpan<byte> key) => new LibCryptoHeaderProtector(cipher, key);
}
