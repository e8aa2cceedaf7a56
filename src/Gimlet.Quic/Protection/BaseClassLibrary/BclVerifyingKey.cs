using System.Security.Cryptography;
using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Protection.BaseClassLibrary;

/// <summary>ECDSA by <see cref="ECDsa"/>.</summary>
internal sealed class BclVerifyingKey(EllipticCurve curve, ECDsa key) : IVerifyingKey
{
    private bool _isDisposed;

    /// <inheritdoc/>
    public bool Verify(ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, curve.FieldLength(), nameof(hash));
        try
        {
            return key.VerifyHash(hash, signature, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            // Some platforms throw for a signature that is no DER: the answer to "is it good" is no.
            return false;
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        key.Dispose();
    }
}
