namespace Gimlet.Quic.Tls.Certificates;

/// <summary>
/// Just enough DER (X.690) to find the public key in a certificate without an exception for garbage: single-byte tags, definite
/// lengths in their shortest form.
/// </summary>
internal ref struct DerReader(ReadOnlySpan<byte> bytes)
{
    public const byte Integer = 0x02;
    public const byte BitString = 0x03;
    public const byte ObjectIdentifier = 0x06;
    public const byte Sequence = 0x30;
    public const byte ExplicitVersion = 0xa0;

    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsEmpty => _rest.IsEmpty;

    public readonly bool IsNext(byte tag) => !_rest.IsEmpty && _rest[0] == tag;

    /// <summary>Reads a value of the tag.</summary>
    /// <param name="tag">What must come next.</param>
    /// <param name="content">Without tag and length.</param>
    /// <param name="whole">With tag and length.</param>
    public bool TryRead(byte tag, out ReadOnlySpan<byte> content, out ReadOnlySpan<byte> whole)
    {
        content = default;
        whole = default;
        if (!IsNext(tag) || !TryReadLength(_rest[1..], out int lengthBytes, out int length))
        {
            return false;
        }

        int header = 1 + lengthBytes;
        if (_rest.Length - header < length)
        {
            return false;
        }

        whole = _rest[..(header + length)];
        content = whole[header..];
        _rest = _rest[whole.Length..];
        return true;
    }

    public bool TryRead(byte tag, out ReadOnlySpan<byte> content) => TryRead(tag, out content, out _);

    private static bool TryReadLength(ReadOnlySpan<byte> bytes, out int lengthBytes, out int length)
    {
        lengthBytes = 1;
        length = 0;
        if (bytes.IsEmpty)
        {
            return false;
        }

        if (bytes[0] < 0x80)
        {
            length = bytes[0];
            return true;
        }

        // Three bytes of length are 16 MB, more than a handshake message can hold.
        int count = bytes[0] & 0x7f;
        if (count is 0 or > 3 || bytes.Length <= count || bytes[1] == 0)
        {
            return false;
        }

        for (int i = 1; i <= count; i++)
        {
            length = (length << 8) | bytes[i];
        }

        lengthBytes = 1 + count;
        return length >= 0x80;
    }
}
