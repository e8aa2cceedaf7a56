namespace Gimlet.Quic.Protection.Curves;

/// <summary>A key pair of ours for ECDH. One thread at a time calls it. After disposal, which wipes it, no member may be called.</summary>
internal interface IAgreementKey : IDisposable
{
    /// <summary>The curve.</summary>
    EllipticCurve Curve { get; }

    /// <summary>Writes the public key in its encoded form.</summary>
    /// <param name="point">Filled: <see cref="EllipticCurves.PointLength"/> bytes.</param>
    void WritePoint(Span<byte> point);

    /// <summary>
    /// ECDH. RFC 8446 section 7.4.2: the X coordinate of the shared point, all its bytes. RFC 8446 section 4.2.8.2: "For the curves secp256r1,
    /// secp384r1, and secp521r1, peers MUST validate each other's public value Q by ensuring that the point is a valid point on the elliptic
    /// curve." So does every implementation: not the point at infinity, coordinates below the field's prime, on the curve.
    /// </summary>
    /// <param name="peerPoint">The peer's share: anything.</param>
    /// <param name="shared">Filled: <see cref="EllipticCurves.FieldLength"/> bytes, a secret that the caller wipes. Left as it was on failure.</param>
    /// <returns>False when the share is no point of the curve.</returns>
    bool TryAgree(ReadOnlySpan<byte> peerPoint, Span<byte> shared);
}
