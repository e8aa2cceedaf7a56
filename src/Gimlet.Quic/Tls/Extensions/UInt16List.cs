namespace Gimlet.Quic.Tls.Extensions;

/// <summary>
/// The lists of 16-bit code points: cipher suites, supported_groups, signature_algorithms. Unknown ones, GREASE (RFC 8701) among them,
/// are simply never looked for.
/// </summary>
internal readonly ref struct UInt16List
{
    private readonly ReadOnlySpan<byte> _bytes;

    private UInt16List(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
    }

    /// <summary>An extension body that is one non-empty list with a two-byte length.</summary>
    public static bool TryParse(ReadOnlySpan<byte> body, out UInt16List list)
    {
        list = default;
        var reader = new TlsReader(body);
        return reader.TryReadVector16(out ReadOnlySpan<byte> bytes) && reader.IsEmpty && TryWrap(bytes, out list);
    }

    /// <summary>The content of a list: whole code points, at least one.</summary>
    public static bool TryWrap(ReadOnlySpan<byte> bytes, out UInt16List list)
    {
        list = new UInt16List(bytes);
        return !bytes.IsEmpty && bytes.Length % 2 == 0;
    }

    public bool Contains(ushort value)
    {
        for (int i = 0; i + 1 < _bytes.Length; i += 2)
        {
            if (((_bytes[i] << 8) | _bytes[i + 1]) == value)
            {
                return true;
            }
        }

        return false;
    }
}
