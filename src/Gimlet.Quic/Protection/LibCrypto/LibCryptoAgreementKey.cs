using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Protection.LibCrypto;

/// <summary>ECDH by libcrypto. The private key never leaves it.</summary>
/// <param name="curve">The curve.</param>
/// <param name="parameters">Of the curve; shared, not owned.</param>
/// <param name="key">The key pair; owned.</param>
internal sealed unsafe class LibCryptoAgreementKey(EllipticCurve curve, KeyHandle parameters, KeyHandle key) : IAgreementKey
{
    // OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY of openssl/core_names.h: for these curves always uncompressed.
    private static ReadOnlySpan<byte> EncodedPublicKey => "encoded-pub-key\0"u8;

    /// <inheritdoc/>
    public EllipticCurve Curve => curve;

    /// <inheritdoc/>
    public void WritePoint(Span<byte> point)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(point.Length, curve.PointLength(), nameof(point));
        nuint length;
        fixed (byte* name = EncodedPublicKey, output = point)
        {
            if (NativeMethods.GetBytes(key, name, output, (nuint)point.Length, &length) != 1 || length != (nuint)point.Length)
            {
                throw KeyHandle.Failure("an encoded point");
            }
        }
    }

    /// <inheritdoc/>
    public bool TryAgree(ReadOnlySpan<byte> peerPoint, Span<byte> shared)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(shared.Length, curve.FieldLength(), nameof(shared));
        using KeyHandle? peer = KeyHandle.TryReadPoint(parameters, curve, peerPoint);
        if (peer is null)
        {
            return false;
        }

        // The point was validated when it was read. Here that would be done once more, with a multiplication that these curves do not need.
        using KeyContext context = NativeMethods.NewKeyContext(key, 0);
        nuint length = (nuint)shared.Length;
        fixed (byte* output = shared)
        {
            if (context.IsInvalid
                || NativeMethods.BeginAgreement(context) != 1
                || NativeMethods.SetPeer(context, peer, validate: 0) != 1
                || NativeMethods.Agree(context, output, &length) != 1
                || length != (nuint)shared.Length)
            {
                throw KeyHandle.Failure("a shared secret");
            }
        }

        return true;
    }

    public void Dispose() => key.Dispose();
}
