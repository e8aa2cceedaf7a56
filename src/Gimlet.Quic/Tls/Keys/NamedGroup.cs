using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Tls.Keys;

/// <summary>The groups we speak (RFC 8446 section 4.2.7): those that .NET has on every platform; X25519 is not among them.</summary>
internal enum NamedGroup : ushort
{
    Secp256r1 = EllipticCurve.P256,
    Secp384r1 = EllipticCurve.P384,
}

/// <summary>What a group means.</summary>
internal static class NamedGroups
{
    /// <summary>Both, in our order of preference: P-256 costs a sixth of P-384 and is what everybody sends a share for.</summary>
    public static IReadOnlyList<NamedGroup> All { get; } = [NamedGroup.Secp256r1, NamedGroup.Secp384r1];

    public static EllipticCurve Curve(this NamedGroup group) => (EllipticCurve)group;
}
