using Gimlet.Identity;

namespace Gimlet.Server.Workers;

/// <summary>A worker's proof of its peer id: a signature over the host that it dialled, its name, this connection's nonce and its key.</summary>
internal static class WorkerProof
{
    /// <summary>Bytes of a nonce, as in a node's registration.</summary>
    public const int NonceLength = 32;

    /// <summary>Checks a proof.</summary>
    /// <param name="authority">The host and port that the worker dialled.</param>
    /// <param name="workerId">Its name.</param>
    /// <param name="nonce">What it was given to sign; null where it was given nothing, or has used it.</param>
    /// <param name="publicKey">Base64 of its SubjectPublicKeyInfo.</param>
    /// <param name="signature">Base64 of the signature.</param>
    /// <param name="peer">The peer id, where it is proven.</param>
    /// <returns>Null, or what is wrong, for the worker.</returns>
    public static string? Check(string authority, string workerId, byte[]? nonce, string? publicKey, string? signature, out PeerId peer)
    {
        peer = default;
        if (nonce is null)
        {
            return "There is no challenge to answer: ask for one with prove_peer_id alone; each is good for one try";
        }

        Span<byte> key = stackalloc byte[P256.SubjectPublicKeyInfoLength];
        if (publicKey is null || !Convert.TryFromBase64String(publicKey, key, out int keyLength) || !P256.IsSubjectPublicKeyInfo(key[..keyLength]))
        {
            return "public_key is not the base64 of a P-256 SubjectPublicKeyInfo of 91 bytes";
        }

        Span<byte> signed = stackalloc byte[P256.SignatureLength];
        if (signature is null || !Convert.TryFromBase64String(signature, signed, out int signatureLength) || signatureLength != P256.SignatureLength)
        {
            return "signature is not the base64 of a P-256 signature of 64 bytes (IEEE P1363)";
        }

        if (!P256.Verify(key, Statement.Worker(authority, workerId, nonce, key), signed))
        {
            return $"The signature does not cover this challenge at '{authority}'; where another name was dialled, a proxy in front of this server is not trusted";
        }

        peer = PeerId.FromPublicKey(key);
        return null;
    }
}
