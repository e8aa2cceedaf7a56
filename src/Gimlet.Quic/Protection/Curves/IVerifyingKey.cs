namespace Gimlet.Quic.Protection.Curves;

/// <summary>A public key that verifies ECDSA signatures. One thread at a time calls it. After disposal no member may be called.</summary>
internal interface IVerifyingKey : IDisposable
{
    /// <summary>Whether a signature was made by this key.</summary>
    /// <param name="hash">The hash of what was signed, as long as a coordinate of the curve: TLS 1.3 pairs P-256 with SHA-256, P-384 with SHA-384.</param>
    /// <param name="signature">DER (RFC 3279 section 2.2.3), from a peer: anything.</param>
    bool Verify(ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature);
}
