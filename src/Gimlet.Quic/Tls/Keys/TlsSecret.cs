using System.Net.Security;
using System.Security.Cryptography;

namespace Gimlet.Quic.Tls.Keys;

/// <summary>Which of our two flows a secret protects.</summary>
internal enum SecretDirection
{
    /// <summary>Packets that we receive.</summary>
    Read,

    /// <summary>Packets that we send.</summary>
    Write,
}

/// <summary>A traffic secret. Whoever takes it out of the event owns it, derives keys from it and disposes it, which wipes it.</summary>
internal sealed class TlsSecret : IDisposable
{
    private readonly byte[] _bytes;

    /// <summary>Copies the secret.</summary>
    public TlsSecret(EncryptionLevel level, SecretDirection direction, TlsCipherSuite suite, ReadOnlySpan<byte> bytes)
    {
        Level = level;
        Direction = direction;
        Suite = suite;
        _bytes = bytes.ToArray();
    }

    public EncryptionLevel Level { get; }

    public SecretDirection Direction { get; }

    public TlsCipherSuite Suite { get; }

    /// <summary>The secret itself; zeros after <see cref="Dispose"/>.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);
}
