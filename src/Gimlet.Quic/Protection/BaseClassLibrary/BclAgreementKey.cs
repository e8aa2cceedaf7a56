using System.Security.Cryptography;
using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Protection.BaseClassLibrary;

/// <summary>ECDH by <see cref="ECDiffieHellman"/>.</summary>
internal sealed class BclAgreementKey(EllipticCurve curve, ECDiffieHellman key) : IAgreementKey
{
    private bool _isDisposed;

    /// <inheritdoc/>
    public EllipticCurve Curve => curve;

    /// <inheritdoc/>
    public void WritePoint(Span<byte> point)
    {
        // Asked for its parameters after disposal, the platform's key would make itself another one.
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNotEqual(point.Length, curve.PointLength(), nameof(point));
        ECPoint q = key.ExportParameters(includePrivateParameters: false).Q;
        EllipticCurves.WritePoint(q.X, q.Y, point);
    }

    /// <inheritdoc/>
    public bool TryAgree(ReadOnlySpan<byte> peerPoint, Span<byte> shared)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNotEqual(shared.Length, curve.FieldLength(), nameof(shared));
        if (!BclCurves.TryDecode(curve, peerPoint, out ECParameters parameters))
        {
            return false;
        }

        try
        {
            using var peer = ECDiffieHellman.Create(parameters);
            using ECDiffieHellmanPublicKey peerPublic = peer.PublicKey;
            byte[] secret = key.DeriveRawSecretAgreement(peerPublic);
            secret.CopyTo(shared);
            CryptographicOperations.ZeroMemory(secret);
            return true;
        }
        catch (CryptographicException)
        {
            // Off the curve: the answer to "is this a share" is no.
            return false;
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        key.Dispose();
    }
}
