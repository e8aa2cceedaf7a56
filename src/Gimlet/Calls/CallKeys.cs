using System.Security.Cryptography;
using Gimlet.Identity;

namespace Gimlet.Calls;

/// <summary>
/// The two keys that authenticate the checks of a call (docs/protocol.md section 3). The server, which carried the public
/// points, does not know them. Wiped on dispose.
/// </summary>
internal sealed class CallKeys : IDisposable
{
    private const int KeyLength = 32;

    private readonly byte[] _keys;

    private CallKeys(byte[] keys) => _keys = keys;

    /// <summary>Signs the caller's requests and the answers to them.</summary>
    public ReadOnlySpan<byte> Caller => _keys.AsSpan(0, KeyLength);

    /// <summary>Signs the callee's requests and the answers to them.</summary>
    public ReadOnlySpan<byte> Callee => _keys.AsSpan(KeyLength, KeyLength);

    /// <summary>Derives the keys; null when the peer's point is not on the curve.</summary>
    public static CallKeys? TryDerive(ECDiffieHellman own, ReadOnlySpan<byte> peerPoint, CallId call, PeerId caller, PeerId callee)
    {
        Span<byte> shared = stackalloc byte[P256.SharedSecretLength];
        Span<byte> prk = stackalloc byte[KeyLength];
        Span<byte> info = stackalloc byte[CallId.Size + (2 * PeerId.Size)];
        try
        {
            if (!P256.TryAgree(own, peerPoint, shared))
            {
                return null;
            }

            call.CopyTo(info);
            caller.CopyTo(info[CallId.Size..]);
            callee.CopyTo(info[(CallId.Size + PeerId.Size)..]);
            _ = HKDF.Extract(HashAlgorithmName.SHA256, shared, "gimlet.v1 checks"u8, prk);
            byte[] keys = GC.AllocateUninitializedArray<byte>(2 * KeyLength, pinned: true);
            HKDF.Expand(HashAlgorithmName.SHA256, prk, keys, info);
            return new CallKeys(keys);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(shared);
            CryptographicOperations.ZeroMemory(prk);
        }
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_keys);
}
