using System.Security.Cryptography;

namespace Gimlet.Quic.Tls.Keys;

/// <summary>
/// Points in the one form TLS 1.3 allows. RFC 8446 section 4.2.8.2: "struct { uint8 legacy_form = 4; opaque X[coordinate_length];
/// opaque Y[coordinate_length]; } UncompressedPointRepresentation".
/// </summary>
internal static class EllipticPoint
{
    private const byte Uncompressed = 4;

    public static byte[] Encode(ECPoint point) => [Uncompressed, .. point.X!, .. point.Y!];

    /// <summary>Splits an encoded point; whether it is on the curve shows when the platform imports it.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> encoded, NamedGroup group, out ECParameters parameters)
    {
        parameters = default;
        int length = group.FieldLength();
        if (encoded.Length != 1 + (2 * length) || encoded[0] != Uncompressed)
        {
            return false;
        }

        // The curve is named here and never taken from the peer: parameters of its choosing would let it forge any key (CVE-2020-0601).
        parameters = new ECParameters
        {
            Curve = group.Curve(),
            Q = new ECPoint { X = encoded.Slice(1, length).ToArray(), Y = encoded[(1 + length)..].ToArray() },
        };
        return true;
    }
}
