using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Protection.BaseClassLibrary;

/// <summary>Packet protection and curves with the base class library: on every platform.</summary>
internal sealed class BclProvider : IProtectionProvider
{
    public static BclProvider Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "base class library";

    /// <inheritdoc/>
    public ICurveProvider Curves => BclCurves.Instance;

    /// <inheritdoc/>
    public IPacketProtector CreatePacketProtector(PacketCipher cipher, ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, cipher.KeyLength(), nameof(key));
        return new BclPacketProtector(key);
    }

    /// <inheritdoc/>
    public IHeaderProtector CreateHeaderProtector(PacketCipher cipher, ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, cipher.KeyLength(), nameof(key));
        return new BclHeaderProtector(key);
    }
}
