using System.Net.Security;
using System.Security.Cryptography;
using Gimlet.Quic.Protection;

namespace Gimlet.Quic.Tls.Keys;

/// <summary>
/// The key schedule of RFC 8446 section 7.1 without a pre-shared key: early secret, handshake secret, master secret, one after the other.
/// </summary>
internal sealed class KeySchedule : IDisposable
{
    private readonly EarlyStage _early;
    private readonly byte[] _secret;

    /// <summary>Starts at the early secret.</summary>
    public KeySchedule(TlsCipherSuite suite)
    {
        Suite = suite;
        _early = EarlyStage.Of(suite);
        _secret = _early.Secret.ToArray();
    }

    public TlsCipherSuite Suite { get; }

    /// <summary>The secret of the stage we are in; tests compare it with the standard's.</summary>
    public ReadOnlySpan<byte> Current => _secret;

    /// <summary>From the early to the handshake secret.</summary>
    /// <param name="shared">The (EC)DHE secret.</param>
    public void EnterHandshake(ReadOnlySpan<byte> shared) => HKDF.Extract(Suite.Hash(), shared, _early.Derived, _secret);

    /// <summary>From the handshake to the master secret.</summary>
    public void EnterMaster()
    {
        Span<byte> salt = stackalloc byte[_secret.Length];
        HkdfLabel.Expand(Suite.Hash(), _secret, "derived"u8, _early.EmptyHash, salt);
        HKDF.Extract(Suite.Hash(), ikm: stackalloc byte[_secret.Length], salt, _secret);
        CryptographicOperations.ZeroMemory(salt);
    }

    /// <summary>Derive-Secret(Secret, Label, Messages), with the hash of the messages given.</summary>
    public byte[] Derive(ReadOnlySpan<byte> label, ReadOnlySpan<byte> transcriptHash)
    {
        byte[] derived = new byte[_secret.Length];
        HkdfLabel.Expand(Suite.Hash(), _secret, label, transcriptHash, derived);
        return derived;
    }

    /// <summary>
    /// verify_data of a Finished message. RFC 8446 section 4.4.4: "finished_key = HKDF-Expand-Label(BaseKey, "finished", "", Hash.length)",
    /// "verify_data = HMAC(finished_key, Transcript-Hash(...))".
    /// </summary>
    /// <param name="suite">The suite.</param>
    /// <param name="baseKey">The handshake traffic secret of the sender.</param>
    /// <param name="transcriptHash">Of everything before the message.</param>
    /// <param name="verifyData">As long as the suite's hash.</param>
    public static void Finished(
        TlsCipherSuite suite, ReadOnlySpan<byte> baseKey, ReadOnlySpan<byte> transcriptHash, Span<byte> verifyData)
    {
        Span<byte> key = stackalloc byte[suite.HashLength()];
        HkdfLabel.Expand(suite.Hash(), baseKey, "finished"u8, context: [], key);
        CryptographicOperations.HmacData(suite.Hash(), key, transcriptHash, verifyData);
        CryptographicOperations.ZeroMemory(key);
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_secret);
}
