using System.Diagnostics.CodeAnalysis;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Tests.Protection.Support;

/// <summary>Curves that are right but for one thing.</summary>
internal sealed class FaultyCurves(string fault) : ICurveProvider
{
    public string Name => fault;

    public IAgreementKey CreateKey(EllipticCurve curve) => new FaultyKey(fault, BclCurves.Instance.CreateKey(curve));

    public IAgreementKey ImportKey(EllipticCurve curve, ReadOnlySpan<byte> pkcs8) => BclCurves.Instance.ImportKey(curve, pkcs8);

    public bool TryImportVerifier(EllipticCurve curve, ReadOnlySpan<byte> point, [NotNullWhen(true)] out IVerifyingKey? key)
    {
        if (!BclCurves.Instance.TryImportVerifier(curve, point, out IVerifyingKey? inner) && fault == "takes all keys")
        {
            using IAgreementKey other = BclCurves.Instance.CreateKey(curve);
            byte[] valid = new byte[curve.PointLength()];
            other.WritePoint(valid);
            _ = BclCurves.Instance.TryImportVerifier(curve, valid, out inner);
        }

        key = inner is null || fault == "refuses keys" ? null : new FaultyVerifier(fault, inner);
        return key is not null;
    }

    private sealed class FaultyKey(string fault, IAgreementKey inner) : IAgreementKey
    {
        public EllipticCurve Curve => inner.Curve;

        public void WritePoint(Span<byte> point)
        {
            inner.WritePoint(point);
            point[^1] ^= (byte)(fault == "point" ? 1 : 0);
        }

        public bool TryAgree(ReadOnlySpan<byte> peerPoint, Span<byte> shared)
        {
            bool isTaken = inner.TryAgree(peerPoint, shared);
            shared[0] ^= (byte)(fault == "secret" ? 1 : 0);
            return fault == "takes all points" || (isTaken && fault != "refuses points");
        }

        public void Dispose() => inner.Dispose();
    }

    private sealed class FaultyVerifier(string fault, IVerifyingKey inner) : IVerifyingKey
    {
        public bool Verify(ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature) =>
            fault == "verifies all" || (fault != "verifies none" && inner.Verify(hash, signature));

        public void Dispose() => inner.Dispose();
    }
}
