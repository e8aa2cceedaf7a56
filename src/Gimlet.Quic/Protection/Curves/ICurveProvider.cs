namespace Gimlet.Quic.Protection.Curves;

/// <summary>
/// An implementation of the elliptic curves of a handshake. Thread-safe: every connection of the process may ask the same one for its keys.
/// </summary>
internal interface ICurveProvider
{
    /// <summary>A name for reports, stable.</summary>
    string Name { get; }

    /// <summary>Makes a fresh key of ours, from the platform's generator.</summary>
    /// <param name="curve">The curve.</param>
    IAgreementKey CreateKey(EllipticCurve curve);

    /// <summary>Takes a given private key: for the standards' vectors.</summary>
    /// <param name="curve">The curve that the key must be on.</param>
    /// <param name="pkcs8">PrivateKeyInfo (DER); the caller wipes it.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">Not a key on this curve.</exception>
    IAgreementKey ImportKey(EllipticCurve curve, ReadOnlySpan<byte> pkcs8);

    /// <summary>Takes the public key of a signer.</summary>
    /// <param name="curve">The curve.</param>
    /// <param name="point">From a peer: anything.</param>
    /// <param name="key">The key.</param>
    /// <returns>False when that is no point of the curve.</returns>
    bool TryImportVerifier(EllipticCurve curve, ReadOnlySpan<byte> point, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IVerifyingKey? key);
}
