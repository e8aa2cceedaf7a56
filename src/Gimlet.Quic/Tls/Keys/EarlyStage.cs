using System.Net.Security;
using System.Security.Cryptography;
using Gimlet.Quic.Protection;

namespace Gimlet.Quic.Tls.Keys;

/// <summary>
/// What the key schedule of RFC 8446 section 7.1 begins with. Without a pre-shared key it is the same in every handshake and no secret, so it is
/// computed once per hash.
/// </summary>
internal sealed class EarlyStage
{
    private static readonly EarlyStage Sha256 = new(HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
    private static readonly EarlyStage Sha384 = new(HashAlgorithmName.SHA384, SHA384.HashSizeInBytes);

    private readonly byte[] _secret;
    private readonly byte[] _derived;
    private readonly byte[] _emptyHash;

    private EarlyStage(HashAlgorithmName hash, int length)
    {
        (_secret, _derived) = (new byte[length], new byte[length]);
        _emptyHash = CryptographicOperations.HashData(hash, []);

        // "If a given secret is not available, then the 0-value consisting of a string of Hash.length bytes set to zeros is used."
        HKDF.Extract(hash, ikm: new byte[length], salt: new byte[length], _secret);
        HkdfLabel.Expand(hash, _secret, "derived"u8, _emptyHash, _derived);
    }

    /// <summary>The early secret.</summary>
    public ReadOnlySpan<byte> Secret => _secret;

    /// <summary>The salt of the handshake secret.</summary>
    public ReadOnlySpan<byte> Derived => _derived;

    /// <summary>The hash of no messages.</summary>
    public ReadOnlySpan<byte> EmptyHash => _emptyHash;

    /// <summary>That of a suite.</summary>
    public static EarlyStage Of(TlsCipherSuite suite) => suite.Hash() == HashAlgorithmName.SHA384 ? Sha384 : Sha256;
}
