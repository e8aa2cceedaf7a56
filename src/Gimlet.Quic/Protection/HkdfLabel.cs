using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Gimlet.Quic.Protection;

/// <summary>HKDF-Expand-Label with an empty context (RFC 8446 section 7.1), as packet protection uses it (RFC 9001 section 5.1).</summary>
internal static class HkdfLabel
{
    // struct HkdfLabel: length (2), label length (1), label ("tls13 " and at most 12 bytes here), context length (1).
    private const int MaxLength = 2 + 1 + 6 + 12 + 1;

    /// <summary>Derives a secret.</summary>
    /// <param name="hash">The hash of the cipher suite.</param>
    /// <param name="secret">As long as the hash.</param>
    /// <param name="label">Without "tls13 "; at most 12 bytes.</param>
    /// <param name="output">Filled.</param>
    public static void Expand(HashAlgorithmName hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, Span<byte> output)
    {
        Span<byte> info = stackalloc byte[MaxLength];
        HKDF.Expand(hash, secret, output, info[..Write(info, label, output.Length)]);
    }

    /// <summary>Writes the info of HKDF-Expand.</summary>
    /// <returns>Its length in bytes.</returns>
    public static int Write(Span<byte> info, ReadOnlySpan<byte> label, int outputLength)
    {
        ReadOnlySpan<byte> prefix = "tls13 "u8;
        int labelLength = prefix.Length + label.Length;
        BinaryPrimitives.WriteUInt16BigEndian(info, (ushort)outputLength);
        info[2] = (byte)labelLength;
        prefix.CopyTo(info[3..]);
        label.CopyTo(info[(3 + prefix.Length)..]);
        info[3 + labelLength] = 0;
        return 4 + labelLength;
    }
}
