using System.Collections.Concurrent;
using System.Security.Cryptography;
using Gimlet.Quic.Tls.Certificates;

namespace Gimlet.Simulation;

/// <summary>
/// A node's key that signs until the signature has the length that all of them have. What TLS draws (shares, nonces of signatures) comes from the platform and
/// differs from run to run; with signatures of one length it changes no datagram's size, and so nothing that follows.
/// </summary>
internal sealed class SteadyKey : ECDsa
{
    private const int FieldLength = 32;
    private static readonly ConcurrentDictionary<PeerId, TlsIdentity> Identities = new();
    private readonly ECDsa _key;

    private SteadyKey(ECDsa key)
    {
        _key = key;
        LegalKeySizesValue = [new KeySizes(256, 256, 0)];
        KeySizeValue = 256;
    }

    /// <summary>The TLS identity of a node; made once, because its certificate costs a signature.</summary>
    public static TlsIdentity IdentityOf(NodeIdentity identity) =>
        Identities.GetOrAdd(identity.Id, static (_, node) => SelfSignedCertificate.CreateIdentity(new SteadyKey(node.CloneKey())), identity);

    public override byte[] SignHash(byte[] hash)
    {
        while (true)
        {
            byte[] signature = _key.SignHash(hash);

            // In DER an integer is as long as it must be: the field's 32 bytes unless the first is zero, one more where its high bit is set.
            if (signature[0] is > 0 and < 0x80 && signature[FieldLength] is > 0 and < 0x80)
            {
                return signature;
            }
        }
    }

    public override bool VerifyHash(byte[] hash, byte[] signature) => _key.VerifyHash(hash, signature);

    public override ECParameters ExportParameters(bool includePrivateParameters) => _key.ExportParameters(includePrivateParameters);

    protected override void Dispose(bool disposing)
    {
        _key.Dispose();
        base.Dispose(disposing);
    }
}
