using System.Security.Cryptography;
using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Protection;

/// <summary>Compares two implementations of elliptic curves, before the second one is trusted with a handshake.</summary>
internal static class CurveSelfTest
{
    /// <summary>Runs the comparison: some milliseconds, most of them P-384's.</summary>
    /// <param name="candidate">The implementation that is not trusted yet.</param>
    /// <param name="reference">The one that is.</param>
    /// <returns>What the candidate does differently; null when nothing.</returns>
    public static string? FindDifference(ICurveProvider candidate, ICurveProvider reference)
    {
        foreach (EllipticCurve curve in (EllipticCurve[])[EllipticCurve.P256, EllipticCurve.P384])
        {
            if ((FindDifferentAgreement(candidate, reference, curve) ?? FindDifferentVerification(candidate, curve)) is { } difference)
            {
                return $"{curve}: {difference}";
            }
        }

        return null;
    }

    private static string? FindDifferentAgreement(ICurveProvider candidate, ICurveProvider reference, EllipticCurve curve)
    {
        using IAgreementKey ours = candidate.CreateKey(curve);
        using IAgreementKey theirs = reference.CreateKey(curve);
        byte[] ourPoint = new byte[curve.PointLength()], theirPoint = new byte[curve.PointLength()];
        ours.WritePoint(ourPoint);
        theirs.WritePoint(theirPoint);

        byte[] ourSecret = new byte[curve.FieldLength()], theirSecret = new byte[curve.FieldLength()];
        if (!theirs.TryAgree(ourPoint, theirSecret))
        {
            return "makes keys that are no points";
        }

        if (!ours.TryAgree(theirPoint, ourSecret)
            || !ourSecret.AsSpan().SequenceEqual(theirSecret))
        {
            return "agrees on another secret";
        }

        // Off the curve by one bit; not below the prime; the origin; without its last byte; at infinity.
        byte[] large = [4, .. Enumerable.Repeat((byte)0xff, curve.FieldLength()), .. theirPoint[^curve.FieldLength()..]];
        byte[][] wrong = [[.. theirPoint[..^1], (byte)(theirPoint[^1] ^ 1)], large, [4, .. new byte[2 * curve.FieldLength()]], theirPoint[..^1], [0]];
        return wrong.Any(point => ours.TryAgree(point, ourSecret)) ? "takes what is no point" : null;
    }

    private static string? FindDifferentVerification(ICurveProvider candidate, EllipticCurve curve)
    {
        using var signer = ECDsa.Create(curve == EllipticCurve.P256 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384);
        ECPoint q = signer.ExportParameters(includePrivateParameters: false).Q;
        byte[] point = [4, .. q.X!, .. q.Y!], hash = [.. Enumerable.Range(1, curve.FieldLength()).Select(i => (byte)i)];
        byte[] signature = signer.SignHash(hash, DSASignatureFormat.Rfc3279DerSequence);
        if (!candidate.TryImportVerifier(curve, point, out IVerifyingKey? key))
        {
            return "does not take a public key";
        }

        using (key)
        {
            if (!key.Verify(hash, signature))
            {
                return "refuses a signature";
            }

            hash[0] ^= 1;
            if (key.Verify(hash, signature))
            {
                return "takes a signature of something else";
            }
        }

        point[^1] ^= 1;
        using IVerifyingKey? none = candidate.TryImportVerifier(curve, point, out key) ? key : null;
        return none is null ? null : "takes a public key that is no point";
    }
}
