using System.Security.Cryptography;

namespace Gimlet.Quic.Tls.Keys;

/// <summary>The groups we speak (RFC 8446 section 4.2.7): those that .NET has on every platform; X25519 is not among them.</summary>
internal enum NamedGroup : ushort
{
    Secp256r1 = 0x0017,
    Secp384r1 = 0x0018,
}

/// <summary>What a group means to the platform.</summary>
internal static class NamedGroups
{
    /// <summary>Both, in our order of preference: P-256 costs a sixth of P-384 and is what everybody sends a share for.</summary>
    public static IReadOnlyList<NamedGroup> All { get; } = [NamedGroup.Secp256r1, NamedGroup.Secp384r1];

    public static ECCurve Curve(this NamedGroup group) =>
        group == NamedGroup.Secp256r1 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384;

    /// <summary>Bytes of a coordinate, which is also the length of the shared secret.</summary>
    public static int FieldLength(this NamedGroup group) => group == NamedGroup.Secp256r1 ? 32 : 48;
}
