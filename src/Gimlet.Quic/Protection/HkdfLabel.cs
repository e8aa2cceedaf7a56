using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Gimlet.Quic.Protection;

/// <summary>HKDF-Expand-Label (RFC 8446 section 7.1), as the handshake and packet protection (RFC 9001 section 5.1) use it.</summary>
internal static class HkdfLabel
{
    /// <summary>
    /// The most that <see cref="Write"/> writes, in bytes. struct HkdfLabel: length (2), label length (1), label ("tls13 " and at most 12 bytes here),
    /// context length (1), context (at most a SHA-384 hash here).
    /// </summary>
    public const int MaxLength = 2 + 1 + 6 + 12 + 1 + 48;

    /// <summary>Derives a secret.</summary>
    /// <param name="hash">The hash of the cipher suite.</param>
    /// <param name="secret">As long as the hash.</param>
    /// <param name="label">Without "tls13 "; at most 12 bytes.</param>
    /// <param name="context">Empty, or a transcript hash.</param>
    /// <param name="output">Filled.</param>
    public static void Expand(
        HashAlgorithmName hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        Span<byte> info = stackalloc byte[MaxLength];
        HKDF.Expand(hash, secret, output, info[..Write(info, label, context, output.Length)]);
    }

    /// <summary>Writes the info of HKDF-Expand.</summary>
    /// <returns>Its length in bytes.</returns>
    public static int Write(Span<byte> info, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, int outputLength)
    {
        ReadOnlySpan<byte> prefix = "tls13 "u8;
        int labelLength = prefix.Length + label.Length;
        BinaryPrimitives.WriteUInt16BigEndian(info, (ushort)outputLength);
        info[2] = (byte)labelLength;
        prefix.CopyTo(info[3..]);
        label.CopyTo(info[(3 + prefix.Length)..]);
        info[3 + labelLength] = (byte)context.Length;
        context.CopyTo(info[(4 + labelLength)..]);
        return 4 + labelLength + context.Length;
    }
}
