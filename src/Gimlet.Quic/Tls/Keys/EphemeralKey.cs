using System.Security.Cryptography;

namespace Gimlet.Quic.Tls.Keys;

/// <summary>One key share of ours: used for one handshake, then disposed.</summary>
internal sealed class EphemeralKey : IDisposable
{
    private readonly ECDiffieHellman _key;

    private EphemeralKey(NamedGroup group, ECDiffieHellman key)
    {
        Group = group;
        _key = key;
        Point = EllipticPoint.Encode(key.ExportParameters(includePrivateParameters: false).Q);
    }

    public NamedGroup Group { get; }

    /// <summary>The public key as it goes on the wire.</summary>
    public byte[] Point { get; }

    /// <summary>A fresh key from the platform's generator.</summary>
    public static EphemeralKey Create(NamedGroup group) => new(group, ECDiffieHellman.Create(group.Curve()));

    /// <summary>A given private key, for the standard's vectors.</summary>
    public static EphemeralKey Import(NamedGroup group, ECParameters parameters) => new(group, ECDiffieHellman.Create(parameters));

    /// <summary>ECDH: RFC 8446 section 7.4.2, the X coordinate of the shared point, all its bytes.</summary>
    /// <param name="peerPoint">The peer's share.</param>
    /// <param name="shared">The secret; the caller wipes it.</param>
    /// <returns>False when the share is no point of the curve.</returns>
    public bool TryAgree(ReadOnlySpan<byte> peerPoint, out byte[] shared)
    {
        shared = [];
        if (!EllipticPoint.TryDecode(peerPoint, Group, out ECParameters parameters))
        {
            return false;
        }

        try
        {
            // RFC 8446 section 4.2.8.2: "For the curves secp256r1, secp384r1, and secp521r1, peers MUST validate each other's public
            // value Q by ensuring that the point is a valid point on the elliptic curve." The platform does so at import.
            using var peer = ECDiffieHellman.Create(parameters);
            using ECDiffieHellmanPublicKey peerPublic = peer.PublicKey;
            shared = _key.DeriveRawSecretAgreement(peerPublic);
            return true;
        }
        catch (CryptographicException)
        {
            // Off the curve: the answer to "is this a share" is no.
            return false;
        }
    }

    public void Dispose() => _key.Dispose();
}
