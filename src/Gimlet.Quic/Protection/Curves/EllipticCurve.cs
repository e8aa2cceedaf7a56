namespace Gimlet.Quic.Protection.Curves;

/// <summary>The curves of key agreement and signatures, with their TLS numbers (RFC 8446 section 4.2.7).</summary>
internal enum EllipticCurve
{
    /// <summary>secp256r1.</summary>
    P256 = 0x0017,

    /// <summary>secp384r1.</summary>
    P384 = 0x0018,
}

/// <summary>The sizes of a curve, and the one form of its points that TLS 1.3 allows.</summary>
internal static class EllipticCurves
{
    /// <summary>The longest coordinate in bytes, which is also the longest shared secret.</summary>
    public const int MaxFieldLength = 48;

    // RFC 8446 section 4.2.8.2: "struct { uint8 legacy_form = 4; opaque X[coordinate_length]; opaque Y[coordinate_length]; }
    // UncompressedPointRepresentation".
    private const byte Uncompressed = 4;

    /// <summary>Bytes of a coordinate, which is also the length of the shared secret.</summary>
    public static int FieldLength(this EllipticCurve curve) => curve switch
    {
        EllipticCurve.P256 => 32,
        EllipticCurve.P384 => 48,
        _ => throw new ArgumentOutOfRangeException(nameof(curve), curve, "Only P-256 and P-384 are spoken."),
    };

    /// <summary>Bytes of an encoded point.</summary>
    public static int PointLength(this EllipticCurve curve) => 1 + (2 * curve.FieldLength());

    /// <summary>
    /// Whether bytes have the form of a point. An implementation is shown nothing else: libcrypto would take compressed and hybrid forms, and
    /// the point at infinity as a single zero.
    /// </summary>
    public static bool HasPointForm(this EllipticCurve curve, ReadOnlySpan<byte> encoded) =>
        encoded.Length == curve.PointLength() && encoded[0] == Uncompressed;

    /// <summary>Writes a point from its coordinates.</summary>
    public static void WritePoint(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y, Span<byte> encoded)
    {
        encoded[0] = Uncompressed;
        x.CopyTo(encoded[1..]);
        y.CopyTo(encoded[(1 + x.Length)..]);
    }
}
