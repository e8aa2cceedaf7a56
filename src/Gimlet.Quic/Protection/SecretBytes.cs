using System.Security.Cryptography;

namespace Gimlet.Quic.Protection;

/// <summary>
/// Secret bytes that are wiped when they are disposed of. Pinned, so that the collector leaves no copy behind when it moves things.
/// </summary>
internal sealed class SecretBytes : IDisposable
{
    private readonly byte[] _bytes;

    /// <summary>Makes room for a secret; zero until it is written.</summary>
    /// <param name="length">In bytes.</param>
    public SecretBytes(int length) => _bytes = GC.AllocateArray<byte>(length, pinned: true);

    /// <summary>Copies a secret.</summary>
    public SecretBytes(ReadOnlySpan<byte> secret)
        : this(secret.Length) => secret.CopyTo(_bytes);

    /// <summary>The bytes; all zero after <see cref="Dispose"/>.</summary>
    public Span<byte> Span => _bytes;

    /// <summary>Wipes the secret.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);
}
