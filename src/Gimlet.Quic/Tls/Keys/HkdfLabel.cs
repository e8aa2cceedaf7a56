using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Gimlet.Quic.Tls.Keys;

/// <summary>HKDF-Expand-Label (RFC 8446 section 7.1) over the platform's HKDF.</summary>
internal static class HkdfLabel
{
    // struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel: labels of ours are short, a context is a hash.
    private const int MaxInfoLength = 2 + 1 + 32 + 1 + CipherSuites.MaxHashLength;

    private static ReadOnlySpan<byte> Prefix => "tls13 "u8;

    public static void Expand(
        HashAlgorithmName hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        Span<byte> info = stackalloc byte[MaxInfoLength];
        BinaryPrimitives.WriteUInt16BigEndian(info, (ushort)output.Length);
        info[2] = (byte)(Prefix.Length + label.Length);
        Prefix.CopyTo(info[3..]);
        label.CopyTo(info[(3 + Prefix.Length)..]);
        int contextStart = 3 + Prefix.Length + label.Length;
        info[contextStart] = (byte)context.Length;
        context.CopyTo(info[(contextStart + 1)..]);
        HKDF.Expand(hash, secret, output, info[..(contextStart + 1 + context.Length)]);
    }
}
