using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Tls.Keys;

/// <summary>One key share of ours: used for one handshake, then disposed.</summary>
internal sealed class EphemeralKey : IDisposable
{
    private readonly IAgreementKey _key;

    /// <summary>Takes a key, and disposes of it.</summary>
    public EphemeralKey(IAgreementKey key)
    {
        _key = key;
        Point = new byte[key.Curve.PointLength()];
        key.WritePoint(Point);
    }

    public NamedGroup Group => (NamedGroup)_key.Curve;

    /// <summary>The public key as it goes on the wire.</summary>
    public byte[] Point { get; }

    /// <summary>Bytes of the shared secret.</summary>
    public int SharedLength => _key.Curve.FieldLength();

    /// <summary>A fresh key from the platform's generator.</summary>
    public static EphemeralKey Create(ICurveProvider curves, NamedGroup group) => new(curves.CreateKey(group.Curve()));

    /// <inheritdoc cref="IAgreementKey.TryAgree"/>
    public bool TryAgree(ReadOnlySpan<byte> peerPoint, Span<byte> shared) => _key.TryAgree(peerPoint, shared);

    public void Dispose() => _key.Dispose();
}
