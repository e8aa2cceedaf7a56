using System.Security.Cryptography;
using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tls.Keys;

/// <summary>The transcript hash (RFC 8446 section 4.4.1). Messages that come before the hash is known are kept until it is.</summary>
internal sealed class Transcript : IDisposable
{
    private byte[] _early = [];
    private IncrementalHash? _hash;

    /// <summary>Bytes of a hash; zero until <see cref="Begin"/>.</summary>
    public int HashLength => _hash?.HashLengthInBytes ?? 0;

    public void Add(ReadOnlySpan<byte> message)
    {
        if (_hash is null)
        {
            _early = [.. _early, .. message];
        }
        else
        {
            _hash.AppendData(message);
        }
    }

    /// <summary>The hash is known. Called once.</summary>
    public void Begin(HashAlgorithmName hash)
    {
        _hash = IncrementalHash.CreateHash(hash);
        _hash.AppendData(_early);
        _early = [];
    }

    /// <summary>
    /// What a HelloRetryRequest does to the first ClientHello: "the value of ClientHello1 is replaced with a special synthetic handshake
    /// message of handshake type "message_hash" containing Hash(ClientHello1)". Called before the HelloRetryRequest is added.
    /// </summary>
    public void ReplaceWithMessageHash()
    {
        IncrementalHash hash = _hash!;
        Span<byte> digest = stackalloc byte[hash.HashLengthInBytes];
        hash.GetHashAndReset(digest);
        hash.AppendData([(byte)HandshakeType.MessageHash, 0, 0, (byte)digest.Length]);
        hash.AppendData(digest);
    }

    /// <summary>The hash of everything so far; goes on afterwards.</summary>
    /// <param name="buffer">At least <see cref="CipherSuites.MaxHashLength"/> bytes.</param>
    /// <returns>The part of the buffer that holds the hash.</returns>
    public ReadOnlySpan<byte> Current(Span<byte> buffer) => buffer[.._hash!.GetCurrentHash(buffer)];

    public void Dispose() => _hash?.Dispose();
}
