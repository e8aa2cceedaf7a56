using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Protection.BaseClassLibrary;

/// <summary>Elliptic curves with the base class library: on every platform. It checks every key that it imports by multiplying with the group's order.</summary>
internal sealed class BclCurves : ICurveProvider
{
    public static BclCurves Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "base class library";

    /// <inheritdoc/>
    public IAgreementKey CreateKey(EllipticCurve curve) => new BclAgreementKey(curve, ECDiffieHellman.Create(Named(curve)));

    /// <inheritdoc/>
    public IAgreementKey ImportKey(EllipticCurve curve, ReadOnlySpan<byte> pkcs8)
    {
        var key = ECDiffieHellman.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            return key.KeySize == 8 * curve.FieldLength()
                ? new BclAgreementKey(curve, key)
                : throw new CryptographicException($"The key is not on {curve}.");
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryImportVerifier(EllipticCurve curve, ReadOnlySpan<byte> point, [NotNullWhen(true)] out IVerifyingKey? key)
    {
        key = null;
        if (TryDecode(curve, point, out ECParameters parameters))
        {
            try
            {
                key = new BclVerifyingKey(curve, ECDsa.Create(parameters));
            }
            catch (CryptographicException)
            {
                // Off the curve: the answer to "is this a key" is no.
            }
        }

        return key is not null;
    }

    /// <summary>Splits an encoded point; whether it is on the curve shows when the platform imports it.</summary>
    public static bool TryDecode(EllipticCurve curve, ReadOnlySpan<byte> encoded, out ECParameters parameters)
    {
        parameters = default;
        if (!curve.HasPointForm(encoded))
        {
            return false;
        }

        // The curve is named here and never taken from the peer: parameters of its choosing would let it forge any key (CVE-2020-0601).
        int length = curve.FieldLength();
        parameters = new ECParameters
        {
            Curve = Named(curve),
            Q = new ECPoint { X = encoded.Slice(1, length).ToArray(), Y = encoded[(1 + length)..].ToArray() },
        };
        return true;
    }

    private static ECCurve Named(EllipticCurve curve) =>
        curve.FieldLength() == 32 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384;
}
