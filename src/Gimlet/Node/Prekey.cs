using System.Security.Cryptography;
using Gimlet.Identity;
using Gimlet.Signalling;

namespace Gimlet.Node;

/// <summary>The node's pre-key of this run: lets a caller compute the key of its call before the node has said a word.</summary>
internal sealed class Prekey : IDisposable
{
    public Prekey(NodeIdentity identity)
    {
        Key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        Point = P256.ExportPoint(Key.ExportParameters(includePrivateParameters: false));
        Signed = new SignedKey { Key = Point, Signature = identity.Sign(Statement.Prekey(Point)) };
        HelloSignature = identity.Sign(Statement.Hello(Point));
    }

    public ECDiffieHellman Key { get; }

    public byte[] Point { get; }

    /// <summary>The point and its signature for registrations.</summary>
    public SignedKey Signed { get; }

    /// <summary>The signature for serverless hellos.</summary>
    public byte[] HelloSignature { get; }

    public void Dispose() => Key.Dispose();
}
